//! Permissions: an action on an entity, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is no action or entity of the wire contract (control-plane 2.2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: one of {expected} is needed")]
pub struct UnknownWord {
    kind: &'static str,
    text: String,
    expected: String,
}

/// What is done. On the wire in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Make a new one.
    Create,
    /// See it, alone or in a list.
    Read,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
}

impl Action {
    /// All of them, in the order in which the wire names them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The word on the wire.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Action {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        word("action", text, &Self::ALL, Self::wire_name)
    }
}

/// What it is done to: the resource types of control-plane 2.2 that this product has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entity {
    /// The account, the whole installation.
    Tenant,
    /// Clusters.
    Cluster,
    /// Departments.
    Department,
    /// Projects.
    Project,
    /// Users, their passwords and POSIX identities.
    Users,
    /// Service accounts and their secrets.
    ServiceAccount,
    /// Access rules. The underscore is the reference's.
    #[serde(rename = "access_rules")]
    AccessRules,
    /// Roles.
    Roles,
    /// Trainings.
    Trainings,
    /// Workloads of every kind.
    Workloads,
    /// The audit log.
    EventsHistory,
}

impl Entity {
    /// All of them, in the order of the rights table.
    pub const ALL: [Self; 11] = [
        Self::Tenant,
        Self::Cluster,
        Self::Department,
        Self::Project,
        Self::Users,
        Self::ServiceAccount,
        Self::AccessRules,
        Self::Roles,
        Self::Trainings,
        Self::Workloads,
        Self::EventsHistory,
    ];

    /// The `resourceType` on the wire.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Cluster => "cluster",
            Self::Department => "department",
            Self::Project => "project",
            Self::Users => "users",
            Self::ServiceAccount => "service-account",
            Self::AccessRules => "access_rules",
            Self::Roles => "roles",
            Self::Trainings => "trainings",
            Self::Workloads => "workloads",
            Self::EventsHistory => "events-history",
        }
    }

    /// The `displayName` of the wire's role permissions.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Tenant => "Account",
            Self::Cluster => "Clusters",
            Self::Department => "Departments",
            Self::Project => "Projects",
            Self::Users => "Users",
            Self::ServiceAccount => "Service accounts",
            Self::AccessRules => "Access rules",
            Self::Roles => "Roles",
            Self::Trainings => "Trainings",
            Self::Workloads => "Workloads",
            Self::EventsHistory => "Event history",
        }
    }

    /// The `groupId` of the wire's role permissions (control-plane 2.2).
    pub const fn group_id(self) -> &'static str {
        match self {
            Self::Tenant | Self::Department | Self::Project | Self::EventsHistory => "organization",
            Self::Cluster => "physical-resource",
            Self::Users | Self::ServiceAccount | Self::AccessRules | Self::Roles => "iam",
            Self::Trainings | Self::Workloads => "workload",
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Entity {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        word("resource type", text, &Self::ALL, Self::wire_name)
    }
}

fn word<T: Copy>(
    kind: &'static str,
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownWord> {
    all.iter()
        .copied()
        .find(|one| name(*one) == text)
        .ok_or_else(|| UnknownWord {
            kind,
            text: text.chars().take(80).collect(),
            expected: all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", "),
        })
}

/// One action on one entity. Written `entity:action`, as in `workloads:create`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Permission {
    /// To what.
    pub entity: Entity,
    /// What is done.
    pub action: Action,
}

impl Permission {
    /// The permission to do `action` to `entity`.
    pub const fn new(action: Action, entity: Entity) -> Self {
        Self { entity, action }
    }

    /// Every permission there is, entity by entity.
    pub fn all() -> impl Iterator<Item = Self> {
        Entity::ALL
            .into_iter()
            .flat_map(|entity| Action::ALL.into_iter().map(move |action| Self { entity, action }))
    }

    const fn bit(self) -> u64 {
        1 << (self.entity as u64 * 4 + self.action as u64)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entity, self.action)
    }
}

/// A set of permissions: one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u64);

impl Permissions {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// Whether it is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is here and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it, entity by entity.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(move |permission| self.contains(*permission))
    }

    /// The actions on each entity that has any, in the order of [`Entity::ALL`]: the shape of the wire's lists.
    pub fn by_entity(self) -> impl Iterator<Item = (Entity, Vec<Action>)> {
        Entity::ALL.into_iter().filter_map(move |entity| {
            let on = |action: &Action| self.contains(Permission::new(*action, entity));
            let actions: Vec<Action> = Action::ALL.into_iter().filter(on).collect();
            (!actions.is_empty()).then_some((entity, actions))
        })
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|permission| permission.to_string()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_bit_of_its_own() {
        let mut seen = Permissions::NONE;
        for permission in Permission::all() {
            assert!(!seen.contains(permission), "{permission}");
            seen = seen.with(permission);
        }
        assert_eq!(seen.iter().count(), 44);
    }

    #[test]
    fn words_read_back_what_they_write_and_serde_says_the_same() {
        for entity in Entity::ALL {
            assert_eq!(entity.wire_name().parse(), Ok(entity));
            assert_eq!(serde_json::to_string(&entity).unwrap(), format!("\"{entity}\""));
        }
        for action in Action::ALL {
            assert_eq!(action.wire_name().parse(), Ok(action));
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{action}\""));
        }
        let refused = "Create".parse::<Action>().unwrap_err().to_string();
        assert_eq!(
            refused,
            "`Create` is no action: one of create, read, update, delete is needed"
        );
        assert!("access-rules".parse::<Entity>().is_err());
    }
}
