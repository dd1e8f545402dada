//! The predefined roles and the one table of what they may do.
//!
//! `tests/it/rights.txt` is this table as the reviewer reads it; a test prints and compares it.

use std::fmt;

use reeve_types::RoleName;

use crate::permission::{Action, Entity, Permission, Permissions};

/// A predefined role. System-defined and not editable (control-plane 2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Role {
    /// Everything in its scope.
    SystemAdministrator,
    /// Runs workloads in its scope.
    L1Researcher,
    /// Looks, and touches nothing.
    Viewer,
}

/// Entity by entity what [`Role::ALL`] may do, in that order: `crud` = create, read, update, delete.
///
/// Source: control-plane 2.3, with its recommended values where the reference is silent. Nobody writes the audit log
/// through the interface, and it is read with a rule at the account only.
const RIGHTS: [(Entity, [&str; 3]); 11] = [
    //                       System administrator, L1 researcher, Viewer
    (Entity::Tenant, ["crud", "-r--", "-r--"]),
    (Entity::Cluster, ["crud", "-r--", "----"]),
    (Entity::Department, ["crud", "-r--", "-r--"]),
    (Entity::Project, ["crud", "-r--", "-r--"]),
    (Entity::Users, ["crud", "----", "----"]),
    (Entity::ServiceAccount, ["crud", "----", "----"]),
    (Entity::AccessRules, ["crud", "----", "----"]),
    (Entity::Roles, ["crud", "----", "----"]),
    (Entity::Trainings, ["crud", "crud", "-r--"]),
    (Entity::Workloads, ["crud", "crud", "-r--"]),
    (Entity::EventsHistory, ["-r--", "----", "----"]),
];

const SYSTEM_ADMINISTRATOR: Permissions = column(Role::SystemAdministrator);
const L1_RESEARCHER: Permissions = column(Role::L1Researcher);
const VIEWER: Permissions = column(Role::Viewer);

const fn column(role: Role) -> Permissions {
    let mut found = Permissions::NONE;
    let mut rows: &[(Entity, [&str; 3])] = &RIGHTS;
    while let [(entity, [administrator, researcher, viewer]), rest @ ..] = rows {
        let letters = match role {
            Role::SystemAdministrator => administrator,
            Role::L1Researcher => researcher,
            Role::Viewer => viewer,
        };
        let mut letters = letters.as_bytes();
        while let [letter, others @ ..] = letters {
            let action = match letter {
                b'c' => Some(Action::Create),
                b'r' => Some(Action::Read),
                b'u' => Some(Action::Update),
                b'd' => Some(Action::Delete),
                _ => None,
            };
            if let Some(action) = action {
                found = found.with(Permission::new(action, *entity));
            }
            letters = others;
        }
        rows = rest;
    }
    found
}

impl Role {
    /// All of them, in the order of their ids.
    pub const ALL: [Self; 3] = [Self::SystemAdministrator, Self::L1Researcher, Self::Viewer];

    /// The id on the wire: an int32. 5 is the one public data point of the reference (control-plane 2.3).
    pub const fn id(self) -> i64 {
        match self {
            Self::SystemAdministrator => 1,
            Self::L1Researcher => 5,
            Self::Viewer => 9,
        }
    }

    /// The role with this id.
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// The name on the wire; clients look roles up by it, case and all.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::SystemAdministrator => "System administrator",
            Self::L1Researcher => "L1 researcher",
            Self::Viewer => "Viewer",
        }
    }

    /// What the role is for, in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::SystemAdministrator => {
                "Manages everything in the scope: organization, people, access rules and workloads."
            }
            Self::L1Researcher => {
                "Submits, changes and deletes workloads in the scope, and sees the projects they run in."
            }
            Self::Viewer => "Sees departments, projects and workloads in the scope, and changes nothing.",
        }
    }

    /// The name in Kubernetes, as text: `l1-researcher`.
    pub const fn kube_text(self) -> &'static str {
        match self {
            Self::SystemAdministrator => "system-administrator",
            Self::L1Researcher => "l1-researcher",
            Self::Viewer => "viewer",
        }
    }

    /// The name in Kubernetes: part of the names of ClusterRoles and RoleBindings.
    #[expect(clippy::expect_used, reason = "three constants, each parsed by a test")]
    pub fn kube_name(self) -> RoleName {
        self.kube_text()
            .parse()
            .expect("the names of predefined roles are valid")
    }

    /// What the role may do, wherever it is held.
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::SystemAdministrator => SYSTEM_ADMINISTRATOR,
            Self::L1Researcher => L1_RESEARCHER,
            Self::Viewer => VIEWER,
        }
    }

    /// Whether the role may do this.
    pub const fn allows(self, permission: Permission) -> bool {
        self.permissions().contains(permission)
    }

    /// Whether its holders can create access rules. A test holds that each such role has every permission of every
    /// role, so that whoever may create rules may grant any: [`crate::Denial`] relies on it when it names people.
    pub(crate) const fn grants(self) -> bool {
        self.allows(Permission::new(Action::Create, Entity::AccessRules))
    }

    /// The roles that may do this, a bit each.
    pub(crate) fn allowing(permission: Permission) -> u8 {
        Self::ALL
            .into_iter()
            .filter(|role| role.allows(permission))
            .fold(0, |roles, role| roles | role.mask())
    }

    /// The role's bit in a set of roles.
    pub(crate) const fn mask(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.display_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_entity_once_and_uses_only_its_letters() {
        assert_eq!(RIGHTS.map(|(entity, _)| entity), Entity::ALL);
        for (entity, cells) in RIGHTS {
            for cell in cells {
                let right = cell.len() == 4
                    && cell
                        .chars()
                        .zip("crud".chars())
                        .all(|(is, may)| is == may || is == '-');
                assert!(right, "{entity}: {cell}");
            }
        }
    }

    #[test]
    fn whoever_may_create_rules_may_grant_every_role() {
        for granter in Role::ALL.into_iter().filter(|role| role.grants()) {
            for role in Role::ALL {
                assert!(
                    role.permissions().without(granter.permissions()).is_empty(),
                    "{granter} cannot grant {role}"
                );
            }
        }
    }

    #[test]
    fn ids_and_names_are_the_wires() {
        assert_eq!(Role::ALL.map(Role::id), [1, 5, 9]);
        for role in Role::ALL {
            assert_eq!(Role::from_id(role.id()), Some(role));
            assert_eq!(role.kube_name().as_str(), role.kube_text());
        }
        assert_eq!(Role::from_id(2), None);
    }
}
