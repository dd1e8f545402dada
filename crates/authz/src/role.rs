//! Roles: what each may do, and which roles its holders may give to others.
//!
//! The predefined ones are made of `roles.txt`; custom ones are values made at run time ([`Role::custom`]). Both are used in
//! the same way, and there may be any number of either.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use reeve_types::RoleName;

use crate::entity::Entity;
use crate::permission::{Action, Permission, PermissionSet};
use crate::scope::Scope;

include!(concat!(env!("OUT_DIR"), "/roles.rs"));

/// The number of a role, predefined or custom: an int32 from 1 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RoleId(u32);

impl RoleId {
    /// The id with this number; `None` for 0, for what is negative and for what is more than an int32 holds. It says nothing
    /// about whether there is such a role.
    pub fn new(number: i64) -> Option<Self> {
        i32::try_from(number)
            .ok()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number > 0)
            .map(Self)
    }

    /// The id of the predefined role with this number.
    pub fn predefined(number: i64) -> Option<Self> {
        Role::of(Self::new(number)?).map(Role::id)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0 as i64
    }
}

/// The name of a predefined role, and of another its number.
impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Role::of(*self) {
            Some(role) => f.write_str(role.display_name()),
            None => write!(f, "role {}", self.0),
        }
    }
}

/// A role. Cloning one is cheap.
#[derive(Clone)]
pub struct Role(Kept);

#[derive(Clone)]
enum Kept {
    /// Without a counter: every answer clones one, and threads would wait for each other.
    Predefined(&'static Definition),
    Custom(Arc<Definition>),
}

#[derive(PartialEq, Eq)]
struct Definition {
    id: RoleId,
    /// The column of `roles.txt`.
    code: &'static str,
    name: Cow<'static, str>,
    purpose: Cow<'static, str>,
    cluster: Option<Cow<'static, str>>,
    permissions: PermissionSet,
    grants: Grants,
}

/// Which roles its holders may give to others.
#[derive(PartialEq, Eq)]
enum Grants {
    Any,
    Only(Cow<'static, [RoleId]>),
}

/// A custom role that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRole {
    /// Predefined roles cannot be changed.
    #[error("role {} is predefined and cannot be changed", .0.number())]
    Predefined(RoleId),
    /// A role needs a name.
    #[error("the name of a role cannot be empty")]
    NoName,
}

/// What a custom role is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomRole {
    /// Its id: none of a predefined role's.
    pub id: RoleId,
    /// Its name, for people.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// The predefined role whose rights in clusters it has (control-plane 2.6); `None` for none.
    pub in_clusters_as: Option<RoleId>,
    /// What it may do. With `access_rules:create` it may give every role of which it holds everything, in clusters too.
    pub permissions: PermissionSet,
}

impl Role {
    const fn predefined(definition: &'static Definition) -> Self {
        Self(Kept::Predefined(definition))
    }

    /// The predefined roles, in the order of their ids.
    pub fn all_predefined() -> &'static [Self] {
        &PREDEFINED
    }

    /// The predefined role with this id.
    pub fn of(id: RoleId) -> Option<&'static Self> {
        let place = PREDEFINED.binary_search_by_key(&id, Self::id).ok()?;
        PREDEFINED.get(place)
    }

    /// A role that is made at run time.
    ///
    /// # Errors
    /// [`InvalidRole`] for the id of a predefined role, and without a name.
    pub fn custom(role: CustomRole) -> Result<Self, InvalidRole> {
        if Self::of(role.id).is_some() {
            return Err(InvalidRole::Predefined(role.id));
        }
        if role.name.trim().is_empty() {
            return Err(InvalidRole::NoName);
        }
        let as_ = role.in_clusters_as.and_then(Self::of);
        Ok(Self(Kept::Custom(Arc::new(Definition {
            id: role.id,
            code: "",
            name: role.name.into(),
            purpose: role.description.into(),
            cluster: as_.and_then(|role| role.definition().cluster.clone()),
            permissions: role.permissions,
            grants: Grants::Any,
        }))))
    }

    fn definition(&self) -> &Definition {
        match &self.0 {
            Kept::Predefined(definition) => definition,
            Kept::Custom(definition) => definition,
        }
    }

    /// Its id.
    pub fn id(&self) -> RoleId {
        self.definition().id
    }

    /// The head of its column in `roles.txt` and in the rights matrix: two letters; empty for a custom role.
    pub fn code(&self) -> &'static str {
        self.definition().code
    }

    /// The name on the wire; clients look roles up by it, case and all.
    pub fn display_name(&self) -> &str {
        &self.definition().name
    }

    /// What the role is for, in a sentence.
    pub fn description(&self) -> &str {
        &self.definition().purpose
    }

    /// Whether it is not predefined.
    pub fn is_custom(&self) -> bool {
        matches!(self.0, Kept::Custom(_))
    }

    /// The role whose ClusterRole its subjects are bound to in the namespaces of projects, as text (`l1-researcher`); `None`
    /// where it gives nothing in a cluster.
    pub fn in_clusters(&self) -> Option<&str> {
        self.definition().cluster.as_deref()
    }

    /// Whether whoever holds this role may do in the namespaces of projects, with Kubernetes' own tools, everything that a holder
    /// of `other` may. Nobody gives a role by which somebody could do more there than they can.
    pub fn covers_in_clusters(&self, other: &Self) -> bool {
        match (self.in_clusters(), other.in_clusters()) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(theirs)) => own == theirs || included_in(own).contains(&theirs),
        }
    }

    /// The role whose cells of `roles.txt` a ClusterRole (`l1-researcher`) is made of: the one of that name. `None` for a name that
    /// is no ClusterRole's.
    pub fn of_cluster_role(name: &str) -> Option<&'static Self> {
        let own = |role: &&Self| role.display_name().to_ascii_lowercase().replace(' ', "-") == name;
        PREDEFINED
            .iter()
            .filter(|role| role.in_clusters() == Some(name))
            .find(own)
    }

    /// The same as clusters are told: [`RoleName::none`] where it gives nothing there.
    pub fn cluster_role(&self) -> RoleName {
        self.in_clusters()
            .and_then(|name| name.parse().ok())
            .unwrap_or_else(RoleName::none)
    }

    /// What the role may do, wherever it is held.
    pub fn permissions(&self) -> PermissionSet {
        self.definition().permissions
    }

    /// Whether the role may do this.
    pub fn allows(&self, permission: Permission) -> bool {
        self.definition().permissions.contains(permission)
    }

    /// Whether its holders can create access rules.
    pub(crate) fn creates_rules(&self) -> bool {
        self.allows(Permission::new(Action::Create, Entity::AccessRules))
    }

    /// Whether its holders may give `role`, as far as the kind of role goes: they must hold what it may do, too.
    pub fn may_give(&self, role: RoleId) -> bool {
        self.creates_rules()
            && match &self.definition().grants {
                Grants::Any => true,
                Grants::Only(roles) => roles.contains(&role),
            }
    }

    /// As [`Role::may_give`], in a scope: a role with a list of those that it gives does so in departments and projects alone.
    /// Held in the account or a cluster it works in those below, and makes no rule for all of them at once.
    pub fn may_give_in(&self, role: RoleId, scope: Scope) -> bool {
        self.may_give(role) && self.creates_rules_in(scope)
    }

    /// Whether its holders create access rules in a scope.
    pub(crate) fn creates_rules_in(&self, scope: Scope) -> bool {
        let below = matches!(scope, Scope::Department(_) | Scope::Project(_));
        self.creates_rules() && (below || self.definition().grants == Grants::Any)
    }

    /// Whether its holders may give `role` by what this role alone allows.
    pub(crate) fn gives(&self, role: &Self) -> bool {
        self.may_give(role.id())
            && role.permissions().without(self.permissions()).is_empty()
            && self.covers_in_clusters(role)
    }

    /// What its holders can hand on, by what this role alone allows: the permissions of every predefined role that it gives,
    /// and its own where it may give itself.
    pub(crate) fn conveys(&self) -> PermissionSet {
        let own = self.gives(self).then(|| self.permissions());
        PREDEFINED
            .iter()
            .filter(|role| self.gives(role))
            .map(Self::permissions)
            .chain(own)
            .fold(PermissionSet::NONE, PermissionSet::union)
    }
}

/// The ClusterRoles of which this one may do everything.
fn included_in(name: &str) -> &'static [&'static str] {
    let found = CLUSTER_ROLES.iter().find(|(own, _)| *own == name);
    found.map_or(&[], |(_, includes)| *includes)
}

impl PartialEq for Role {
    fn eq(&self, other: &Self) -> bool {
        self.definition() == other.definition()
    }
}

impl Eq for Role {}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display_name())
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("id", &self.id().number())
            .field("name", &self.display_name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_wires_and_name_their_roles() {
        for (id, number, name) in [
            (RoleId::SYSTEM_ADMINISTRATOR, 1, "System administrator"),
            (RoleId::L1_RESEARCHER, 5, "L1 researcher"),
            (RoleId::VIEWER, 9, "Viewer"),
            (RoleId::PROJECT_ADMINISTRATOR, 19, "Project administrator"),
        ] {
            assert_eq!((id.number(), id.to_string().as_str()), (number, name));
            assert_eq!(RoleId::predefined(number), Some(id));
        }
        for number in [0, -1, 1 << 31, 1 << 40] {
            assert_eq!(RoleId::new(number), None);
        }
        let other = RoleId::new(2_000).unwrap();
        assert_eq!(
            (RoleId::predefined(2_000), other.to_string().as_str()),
            (None, "role 2000")
        );
        assert!(PREDEFINED.is_sorted_by_key(Role::id));
    }

    #[test]
    fn a_custom_role_takes_no_predefined_id_and_needs_a_name() {
        let role = |id, name: &str| {
            Role::custom(CustomRole {
                id,
                name: name.to_owned(),
                description: String::new(),
                in_clusters_as: Some(RoleId::L2_RESEARCHER),
                permissions: PermissionSet::NONE,
            })
        };
        let own = RoleId::new(1_000).unwrap();
        let refused = role(RoleId::VIEWER, "Mine").unwrap_err();
        assert_eq!(refused.to_string(), "role 9 is predefined and cannot be changed");
        assert_eq!(role(own, " "), Err(InvalidRole::NoName));
        let made = role(own, "Mine").unwrap();
        assert_eq!(
            (made.is_custom(), made.in_clusters()),
            (true, Some("l2-researcher"))
        );
    }

    #[test]
    fn what_a_custom_role_hands_on_is_what_it_holds() {
        let create = Permission::new(Action::Create, Entity::AccessRules);
        let read = Permission::new(Action::Read, Entity::Templates);
        let custom = |permissions: &[Permission]| {
            let id = RoleId::new(1_000).unwrap();
            let name = "Mine".to_owned();
            let permissions = permissions.iter().copied().collect();
            let (description, in_clusters_as) = (String::new(), Some(RoleId::L2_RESEARCHER));
            Role::custom(CustomRole {
                id,
                name,
                description,
                in_clusters_as,
                permissions,
            })
            .unwrap()
        };
        assert_eq!(custom(&[read]).conveys(), PermissionSet::NONE);
        let granter = custom(&[create, read]);
        assert_eq!(granter.conveys(), granter.permissions());
    }
}
