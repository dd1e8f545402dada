//! What a caller may see: the filter of every list.

use std::fmt;
use std::sync::Arc;

use crate::entity::Entity;
use crate::permission::Action;
use crate::scope::Scope;
use crate::subject::SubjectKey;
use crate::tree::{ScopeIndex, Tree};

/// Where a caller may read an entity, as of the moment it was asked. Lists, counts and gets go through it.
///
/// Only [`crate::Index::visible`] makes it; these do not compile:
///
/// ```compile_fail,E0451
/// # use reeve_authz::{Entity, Visible};
/// let everything = Visible { entity: Entity::Users, principal: loop {}, granted: vec![], tree: loop {} };
/// ```
/// ```compile_fail,E0277
/// fn make<T: Default>() -> T { T::default() }
/// let visible: reeve_authz::Visible = make();
/// ```
/// ```compile_fail,E0277
/// let visible: reeve_authz::Visible = serde_json::from_str("{}").unwrap();
/// ```
#[must_use = "it is the filter to read through; pass it to what reads"]
pub struct Visible {
    entity: Entity,
    principal: SubjectKey,
    granted: Vec<ScopeIndex>,
    tree: Arc<Tree>,
}

impl Visible {
    /// `granted` must be sorted.
    pub(crate) const fn new(
        entity: Entity,
        principal: SubjectKey,
        granted: Vec<ScopeIndex>,
        tree: Arc<Tree>,
    ) -> Self {
        Self {
            entity,
            principal,
            granted,
            tree,
        }
    }

    /// Of what.
    pub const fn entity(&self) -> Entity {
        self.entity
    }

    /// Always [`Action::Read`].
    pub const fn action(&self) -> Action {
        Action::Read
    }

    /// To whom.
    pub const fn principal(&self) -> &SubjectKey {
        &self.principal
    }

    /// Whether it reaches the whole account: nothing needs to be filtered.
    pub fn everything(&self) -> bool {
        self.granted.first() == Some(&ScopeIndex::ROOT)
    }

    /// Whether what belongs to this scope may be seen. False for a scope that was unknown when this was made.
    pub fn contains(&self, scope: Scope) -> bool {
        self.tree
            .path(scope)
            .is_some_and(|path| path.iter().any(|at| self.granted.binary_search(&at).is_ok()))
    }

    /// Whether the name and the id of this scope may be seen: it is visible, or above something visible. Shows the way
    /// to what a caller holds without showing anything beside it (control-plane 2.3).
    pub fn contains_name(&self, scope: Scope) -> bool {
        self.contains(scope)
            || self
                .tree
                .path(scope)
                .is_some_and(|path| self.is_above_a_granted_one(path.last()))
    }

    fn is_above_a_granted_one(&self, above: ScopeIndex) -> bool {
        self.granted
            .iter()
            .filter_map(|at| self.tree.path_at(*at))
            .any(|path| path.contains(above))
    }

    /// The scopes at which it was granted, not expanded, in order: for a query that filters in the database.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self
            .granted
            .iter()
            .filter_map(|at| self.tree.scope(*at))
            .collect();
        scopes.sort_unstable();
        scopes
    }
}

impl fmt::Debug for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visible")
            .field("entity", &self.entity)
            .field("principal", &self.principal)
            .field("scopes", &self.scopes())
            .finish()
    }
}
