//! Scopes: where a rule holds.

use std::fmt;

use reeve_types::{ClusterId, DepartmentId, ProjectId};

/// Text that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownScope {
    /// A scope type that this installation has not.
    #[error("`{0}` is no scope type: one of tenant, cluster, department, project is needed")]
    Type(String),
    /// An id that cannot belong to a scope of its type.
    #[error("`{id}` is no id of a {kind}")]
    Id {
        /// The scope type.
        kind: &'static str,
        /// What was given.
        id: String,
    },
}

/// A node of the organization: account > cluster > department > project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// The whole installation; `tenant` with id `1` on the wire.
    Account,
    /// A cluster.
    Cluster(ClusterId),
    /// A department of a cluster.
    Department(DepartmentId),
    /// A project of a department.
    Project(ProjectId),
}

impl Scope {
    /// The `scopeType` on the wire.
    pub const fn wire_type(self) -> &'static str {
        match self {
            Self::Account => "tenant",
            Self::Cluster(_) => "cluster",
            Self::Department(_) => "department",
            Self::Project(_) => "project",
        }
    }

    /// The `scopeId` on the wire.
    pub fn wire_id(self) -> String {
        match self {
            Self::Account => "1".to_owned(),
            Self::Cluster(id) => id.to_string(),
            Self::Department(id) => id.to_string(),
            Self::Project(id) => id.to_string(),
        }
    }

    /// Reads `scopeType` and `scopeId`. Says nothing about whether the scope exists.
    ///
    /// # Errors
    /// [`UnknownScope`] for a type or an id that no scope can have.
    pub fn from_wire(kind: &str, id: &str) -> Result<Self, UnknownScope> {
        let short = |text: &str| text.chars().take(80).collect::<String>();
        let wrong = |kind| UnknownScope::Id { kind, id: short(id) };
        match kind {
            "tenant" if id == "1" => Ok(Self::Account),
            "tenant" => Err(wrong("tenant")),
            "cluster" => id.parse().map(Self::Cluster).map_err(|_| wrong("cluster")),
            "department" => id.parse().map(Self::Department).map_err(|_| wrong("department")),
            "project" => id.parse().map(Self::Project).map_err(|_| wrong("project")),
            other => Err(UnknownScope::Type(short(other))),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("the account"),
            Self::Cluster(id) => write!(f, "cluster `{id}`"),
            Self::Department(id) => write!(f, "department `{id}`"),
            Self::Project(id) => write!(f, "project `{id}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_what_it_wrote() {
        let cluster = "123e4567-e89b-12d3-a456-426614174000".parse().unwrap();
        let all = [
            Scope::Account,
            Scope::Cluster(cluster),
            Scope::Department(DepartmentId::new(3).unwrap()),
            Scope::Project(ProjectId::new(33).unwrap()),
        ];
        for scope in all {
            assert_eq!(Scope::from_wire(scope.wire_type(), &scope.wire_id()), Ok(scope));
        }
        for (kind, id) in [
            ("tenant", "2"),
            ("system", "1"),
            ("project", "x"),
            ("cluster", "1"),
            ("Project", "1"),
        ] {
            assert!(Scope::from_wire(kind, id).is_err(), "{kind} {id}");
        }
    }
}
