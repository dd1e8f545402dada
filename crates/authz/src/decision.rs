//! The answer yes: [`Granted`], and why.

use std::fmt;

use reeve_types::AccessRuleId;

use crate::entity::Entity;
use crate::permission::Action;
use crate::role::{Role, RoleId};
use crate::scope::Scope;
use crate::subject::SubjectKey;

/// Which rule allowed something, and how it reaches the caller and the scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// The rule.
    pub rule: AccessRuleId,
    /// The role it gives.
    pub role: Role,
    /// The subject it names: the caller, or a group of the caller's.
    pub through: SubjectKey,
    /// The scope it names: the one asked about, or one above.
    pub at: Scope,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rule {} gives {} the role {} in {}",
            self.rule, self.through, self.role, self.at
        )
    }
}

/// The places that write although nobody was authorized. There are no others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BootstrapException {
    /// The first start makes the account, its administrator and the administrator's rule.
    FirstStart,
    /// A cluster, known by its own credential, reports the status of what it was sent.
    LinkStatus,
    /// Signing in and out writes the session and the time of the last login of the one who does.
    SessionRecord,
    /// The database was restored from a backup: what it holds of sessions and secrets is ended, and used again only when
    /// somebody at the server's own machine says so.
    Recovery,
    /// Somebody who signed in makes, renews, deletes or lists access keys of their own, which never have more rights than they
    /// have themselves.
    OwnAccessKey,
    /// A signing key has signed for as long as it was to: the next one takes over. Credentials are sealed anew with another key.
    KeyRotation,
}

impl BootstrapException {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::FirstStart,
        Self::LinkStatus,
        Self::SessionRecord,
        Self::Recovery,
        Self::OwnAccessKey,
        Self::KeyRotation,
    ];

    /// What the exception is good for; everything else needs a rule.
    pub const fn covers(self, action: Action, entity: Entity) -> bool {
        match self {
            Self::FirstStart => {
                matches!(action, Action::Create)
                    && matches!(entity, Entity::Tenant | Entity::Users | Entity::AccessRules)
            }
            Self::LinkStatus => {
                matches!(action, Action::Update)
                    && matches!(
                        entity,
                        Entity::Cluster
                            | Entity::Project
                            | Entity::AccessRules
                            | Entity::Trainings
                            | Entity::Workloads
                    )
            }
            Self::SessionRecord => {
                matches!(action, Action::Update) && matches!(entity, Entity::Users | Entity::ServiceAccount)
            }
            Self::Recovery => {
                matches!(action, Action::Update)
                    && matches!(
                        entity,
                        Entity::Tenant | Entity::Users | Entity::ServiceAccount | Entity::Cluster
                    )
            }
            Self::OwnAccessKey => matches!(action, Action::Update) && matches!(entity, Entity::AccessKeys),
            Self::KeyRotation => {
                matches!(action, Action::Update) && matches!(entity, Entity::SecuritySettings)
            }
        }
    }

    const fn named_after(self) -> (Action, Entity) {
        match self {
            Self::FirstStart => (Action::Create, Entity::Tenant),
            Self::LinkStatus => (Action::Update, Entity::Cluster),
            Self::SessionRecord => (Action::Update, Entity::Users),
            Self::Recovery => (Action::Update, Entity::Tenant),
            Self::OwnAccessKey => (Action::Update, Entity::AccessKeys),
            Self::KeyRotation => (Action::Update, Entity::SecuritySettings),
        }
    }
}

/// Proof that an action on an entity in a scope was allowed. Store methods that write, or read unfiltered, demand one.
///
/// Only [`crate::Index`] makes it, and [`Granted::bootstrap`] for the named exceptions. It can be neither built, copied,
/// altered nor read from outside; these do not compile:
///
/// ```compile_fail,E0451
/// # use reeve_authz::{Action, Entity, Granted, Scope};
/// let granted = Granted { action: Action::Create, entity: Entity::Users, scope: Scope::Account, origin: loop {} };
/// ```
/// ```compile_fail,E0451
/// # use reeve_authz::{BootstrapException, Entity, Granted};
/// let granted = Granted { entity: Entity::Users, ..Granted::bootstrap(BootstrapException::LinkStatus) };
/// ```
/// ```compile_fail,E0616
/// # use reeve_authz::{BootstrapException, Entity, Granted};
/// let mut granted = Granted::bootstrap(BootstrapException::LinkStatus);
/// granted.entity = Entity::Users;
/// ```
/// ```compile_fail,E0277
/// fn make<T: Default>() -> T { T::default() }
/// let granted: reeve_authz::Granted = make();
/// ```
/// ```compile_fail,E0277
/// fn copy<T: Clone>(it: &T) -> T { it.clone() }
/// # use reeve_authz::{BootstrapException, Granted};
/// let copied = copy(&Granted::bootstrap(BootstrapException::LinkStatus));
/// ```
/// ```compile_fail,E0277
/// let granted: reeve_authz::Granted = serde_json::from_str("{}").unwrap();
/// ```
/// ```compile_fail,E0624
/// # use reeve_authz::{Action, Entity, Granted, Scope};
/// let granted = Granted::by_rule(Action::Create, Entity::Users, Scope::Account, loop {}, loop {});
/// ```
///
/// The same words where they are allowed do compile, so the refusals above are not misspellings:
///
/// ```
/// # use reeve_authz::{Action, BootstrapException, Entity, Granted, Scope};
/// fn make<T: Default>() -> T { T::default() }
/// fn copy<T: Clone>(it: &T) -> T { it.clone() }
/// let (number, text): (u8, String) = (make(), copy(&String::new()));
/// let number: u8 = serde_json::from_str("7").unwrap();
/// let granted = Granted::bootstrap(BootstrapException::LinkStatus);
/// assert_eq!((granted.action(), granted.entity(), granted.scope()), (Action::Update, Entity::Cluster, Scope::Account));
/// ```
#[derive(PartialEq, Eq, Debug)]
#[must_use = "it is the permission to do something; pass it to what does it"]
pub struct Granted {
    action: Action,
    entity: Entity,
    scope: Scope,
    origin: Origin,
    as_of: Option<i64>,
}

#[derive(PartialEq, Eq, Debug)]
enum Origin {
    Rule { principal: SubjectKey, because: Reason },
    Bootstrap(BootstrapException),
}

impl Granted {
    /// The permission of a named exception. Each use in the workspace is counted and reviewed.
    pub const fn bootstrap(exception: BootstrapException) -> Self {
        let (action, entity) = exception.named_after();
        Self {
            action,
            entity,
            scope: Scope::Account,
            origin: Origin::Bootstrap(exception),
            as_of: None,
        }
    }

    pub(crate) const fn by_rule(
        action: Action,
        entity: Entity,
        scope: Scope,
        principal: SubjectKey,
        because: Reason,
    ) -> Self {
        Self {
            action,
            entity,
            scope,
            origin: Origin::Rule { principal, because },
            as_of: None,
        }
    }

    pub(crate) fn decided_at(self, version: Option<i64>) -> Self {
        Self {
            as_of: version,
            ..self
        }
    }

    /// The version of the index that it was decided from ([`crate::Index::set_version`]): whoever writes can see whether
    /// anything was changed since. `None` for an exception, and where nobody counts versions.
    pub const fn as_of(&self) -> Option<i64> {
        self.as_of
    }

    /// What may be done.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// To what.
    pub const fn entity(&self) -> Entity {
        self.entity
    }

    /// Where: the scope that was asked about, not the rule's ([`Reason::at`]).
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The user or service account that may; `None` for an exception.
    pub const fn principal(&self) -> Option<&SubjectKey> {
        match &self.origin {
            Origin::Rule { principal, .. } => Some(principal),
            Origin::Bootstrap(_) => None,
        }
    }

    /// The rule that allowed it; `None` for an exception.
    pub const fn because(&self) -> Option<&Reason> {
        match &self.origin {
            Origin::Rule { because, .. } => Some(because),
            Origin::Bootstrap(_) => None,
        }
    }

    /// The exception that allowed it; `None` for a rule.
    pub const fn exception(&self) -> Option<BootstrapException> {
        match &self.origin {
            Origin::Rule { .. } => None,
            Origin::Bootstrap(exception) => Some(*exception),
        }
    }

    /// Whether this is the permission to do exactly that. A method that writes asks, so that the permission for one
    /// thing is not spent on another.
    pub fn covers(&self, action: Action, entity: Entity, scope: Scope) -> bool {
        match &self.origin {
            Origin::Rule { .. } => (self.action, self.entity, self.scope) == (action, entity, scope),
            Origin::Bootstrap(exception) => exception.covers(action, entity),
        }
    }
}

/// Proof that the caller may give one role in one scope. Making an access rule demands one, since the permission to create access
/// rules says nothing of which role was judged.
///
/// Only [`crate::Index::may_grant`] makes it. As for [`Granted`], these do not compile:
///
/// ```compile_fail,E0451
/// # use reeve_authz::{BootstrapException, Granted, GrantedRole, RoleId};
/// let granted = Granted::bootstrap(BootstrapException::LinkStatus);
/// let role = GrantedRole { granted, role: RoleId::VIEWER };
/// ```
/// ```compile_fail,E0624
/// # use reeve_authz::{BootstrapException, Granted, GrantedRole, RoleId};
/// let role = GrantedRole::judged(Granted::bootstrap(BootstrapException::LinkStatus), RoleId::VIEWER);
/// ```
#[derive(PartialEq, Eq, Debug)]
#[must_use = "it is the permission to give a role; pass it to what makes the rule"]
pub struct GrantedRole {
    granted: Granted,
    role: RoleId,
}

impl GrantedRole {
    pub(crate) const fn judged(granted: Granted, role: RoleId) -> Self {
        Self { granted, role }
    }

    /// The permission to create access rules in the scope, for the audit log.
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// The role that was judged.
    pub const fn role(&self) -> RoleId {
        self.role
    }

    /// Whether this is the permission to give exactly this role exactly there.
    pub fn covers(&self, role: RoleId, scope: Scope) -> bool {
        self.role == role && self.granted.covers(Action::Create, Entity::AccessRules, scope)
    }
}
