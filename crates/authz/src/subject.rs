//! Who: subjects of rules, and the caller who acts.

use std::fmt;

use reeve_types::{AccessRuleId, Email, GroupName, InvalidName, ServiceAccountName};

use crate::role::RoleId;
use crate::scope::Scope;

/// A subject that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// A type that names no kind of subject.
    #[error("`{0}` is no subject type: one of user, group, service-account is needed")]
    Type(String),
    /// An id that breaks the rule of its kind's names.
    #[error(transparent)]
    Name(InvalidName),
}

/// The kinds of subjects. `subjectType` on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    /// A person.
    User,
    /// A group of an identity provider.
    Group,
    /// A service account; `app` is its old name.
    ServiceAccount,
}

impl SubjectKind {
    /// The word on the wire.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::ServiceAccount => "service-account",
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

/// Whom a rule names. It need not exist yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKey {
    /// A person, by email.
    User(Email),
    /// A group, by the name its identity provider sends.
    Group(GroupName),
    /// A service account, by name.
    ServiceAccount(ServiceAccountName),
}

impl SubjectKey {
    /// Which kind it is.
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::User(_) => SubjectKind::User,
            Self::Group(_) => SubjectKind::Group,
            Self::ServiceAccount(_) => SubjectKind::ServiceAccount,
        }
    }

    /// The name alone: `subjectId` on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::User(email) => email.as_str(),
            Self::Group(name) => name.as_str(),
            Self::ServiceAccount(name) => name.as_str(),
        }
    }

    /// Reads `subjectType` and `subjectId`. Accepts the deprecated `app`.
    ///
    /// # Errors
    /// [`InvalidSubject`] for a type or a name that no subject can have.
    pub fn from_wire(kind: &str, name: &str) -> Result<Self, InvalidSubject> {
        match kind {
            "user" => name.parse().map(Self::User).map_err(InvalidSubject::Name),
            "group" => name.parse().map(Self::Group).map_err(InvalidSubject::Name),
            "service-account" | "app" => name
                .parse()
                .map(Self::ServiceAccount)
                .map_err(InvalidSubject::Name),
            other => Err(InvalidSubject::Type(other.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name())
    }
}

/// The caller: a user or a service account, and the groups it was last seen in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// A user or a service account.
    pub subject: SubjectKey,
    /// Rules that name one of these count for the caller too.
    pub groups: Vec<GroupName>,
}

impl Principal {
    /// A caller in no group.
    pub const fn alone(subject: SubjectKey) -> Self {
        Self {
            subject,
            groups: Vec::new(),
        }
    }
}

/// `<subject> is a <role> in a <scope>`. Immutable: a change is a removal and an addition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its id.
    pub id: AccessRuleId,
    /// Who.
    pub subject: SubjectKey,
    /// Is what.
    pub role: RoleId,
    /// Where, and in everything below.
    pub scope: Scope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_what_it_wrote() {
        for (kind, name) in [
            ("user", "alice@example.com"),
            ("group", "ML Admins"),
            ("service-account", "ci"),
        ] {
            let subject = SubjectKey::from_wire(kind, name).unwrap();
            assert_eq!((subject.kind().wire_name(), subject.name()), (kind, name));
        }
        assert_eq!(
            SubjectKey::from_wire("app", "ci"),
            SubjectKey::from_wire("service-account", "ci")
        );
        assert!(SubjectKey::from_wire("role", "ci").is_err());
        assert!(SubjectKey::from_wire("group", "system:masters").is_err());
    }

    #[test]
    fn kinds_with_equal_names_are_different_subjects() {
        assert_ne!(
            SubjectKey::from_wire("group", "ci"),
            SubjectKey::from_wire("service-account", "ci")
        );
    }
}
