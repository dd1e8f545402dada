//! The change log: what each write changed in the directory that decisions are made from.
//!
//! A write answers its changes and appends them to the log in its own transaction. Every process brings its memory up to date by
//! the log alone, the one that wrote included: in the order of the numbers, which is the order of commits, since a number is
//! drawn from a counter row that stays locked until its transaction ends. Nobody who has applied number n has missed a
//! smaller one.
//!
//! **Limits.** An entry holds at most [`CHANGES_TOGETHER`] changes, and the last [`CHANGES_KEPT`] entries are kept. Who is further
//! behind reads the directory anew. Values are names, ids and numbers: no secret and no hash of one is in the log.

use async_trait::async_trait;
use reeve_authz::{RoleId, Rule, Scope, SubjectKey};
use reeve_types::{AccessRuleId, ClusterId, PolicyKind, Revision, ServiceAccountId, SessionId, UserId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    ClusterFacts, CustomRoleFacts, DepartmentFacts, PolicyFacts, ProjectFacts, ServiceAccountFacts,
    SessionFacts, SigningKeyFacts, StoreError, UserFacts,
};

/// How many entries the log keeps.
pub const CHANGES_KEPT: i64 = 4096;
/// How many changes one entry holds at most; a change of more things has several entries.
pub const CHANGES_TOGETHER: usize = 256;

/// The number of an entry of the log, from 1 and without gaps; 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ChangeNumber(pub i64);

impl ChangeNumber {
    /// The number of the entry after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Where somebody stands in the log: the last entry that was applied. The number alone would not say which entry that was: a
/// database that was put back, or taken over by a standby that was behind, gives the same numbers to other entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeMark {
    /// The number of the entry.
    pub number: ChangeNumber,
    /// Its tag: drawn at random when it was written; empty before the first entry, and for those of earlier versions.
    pub tag: String,
}

/// What follows on a place in the log.
#[derive(Debug, Clone, PartialEq)]
pub enum LogAfter {
    /// These entries, in their order and without a gap; none when there is nothing later.
    Entries(Vec<LoggedChanges>),
    /// Entries that are not kept any more: the directory has to be read anew.
    Forgotten,
    /// The log does not know the place: it never came so far, or has another entry there. The database is not the one that
    /// was read before, or an older copy of it.
    Unknown,
}

/// One change of the directory. Each says how the thing is afterwards, so that applying it twice is applying it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DirectoryChange {
    /// A cluster was made or is now so.
    Cluster(ClusterFacts),
    /// The operator of a cluster has come to a revision.
    Applied(ClusterId, Revision),
    /// The desired state of clusters has come to new revisions.
    Revisions(Vec<(ClusterId, Revision)>),
    /// A department was made.
    Department(DepartmentFacts),
    /// A project was made.
    Project(ProjectFacts),
    /// A workload policy is now so.
    Policy(Box<PolicyFacts>),
    /// A workload policy was deleted.
    PolicyDeleted(#[serde(with = "scope_text")] Scope, PolicyKind),
    /// A user was made or is now so.
    User(UserFacts),
    /// A service account was made or is now so.
    ServiceAccount(ServiceAccountFacts),
    /// An access rule was made.
    Rule(#[serde(with = "rule_text")] Rule),
    /// A role of the account's own was made or is now so.
    Role(CustomRoleFacts),
    /// A role of the account's own was deleted, by its number.
    RoleDeleted(i64),
    /// Access rules were deleted.
    RulesDeleted(Vec<AccessRuleId>),
    /// A cluster, department or project was deleted, with everything below it and the rules there.
    ScopeDeleted(#[serde(with = "scope_text")] Scope),
    /// A user was deleted. Her rules are deleted by a change of their own.
    UserDeleted(UserId),
    /// A service account was deleted. Its rules are deleted by a change of their own.
    ServiceAccountDeleted(ServiceAccountId),
    /// A session began.
    Session(SessionFacts),
    /// Sessions ended, or are forgotten.
    SessionsEnded(Vec<SessionId>),
    /// These are the signing keys now. What seals and signs is read from the store.
    SigningKeys(Vec<SigningKeyFacts>),
    /// More changed than is told: the directory has to be read anew.
    Everything,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedChanges {
    /// Its number.
    pub number: ChangeNumber,
    /// Its tag.
    pub tag: String,
    /// What changed, in this order.
    pub changes: Vec<DirectoryChange>,
}

impl LoggedChanges {
    /// The place of whoever has applied it.
    pub fn mark(&self) -> ChangeMark {
        ChangeMark {
            number: self.number,
            tag: self.tag.clone(),
        }
    }
}

impl DirectoryChange {
    /// Whether a decision may be another one after it. What clusters have come to decides nothing.
    pub const fn decides(&self) -> bool {
        !matches!(self, Self::Applied(..) | Self::Revisions(..))
    }
}

/// The log, as processes read it. It stays inside the server: decisions are made from it, nobody is shown it.
#[async_trait]
pub trait ChangeLog {
    /// At most `limit` entries after `after`. An entry that this version of the program cannot read says
    /// [`DirectoryChange::Everything`].
    ///
    /// # Errors
    /// [`StoreError::Database`] when the database does not answer.
    async fn changes_since(&self, after: &ChangeMark, limit: u32) -> Result<LogAfter, StoreError>;

    /// Returns when another process may have written to the log: when the database says so, and otherwise after half a second,
    /// since its word may be lost. Never for a database that one process has alone.
    async fn woken(&self);
}

/// A scope as it is kept: type and id.
#[derive(Serialize, Deserialize)]
struct ScopeText(String, String);

pub(crate) mod scope_text {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(scope: &Scope, serializer: S) -> Result<S::Ok, S::Error> {
        ScopeText(scope.wire_type().to_owned(), scope.wire_id()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
        let ScopeText(kind, id) = ScopeText::deserialize(deserializer)?;
        Scope::from_wire(&kind, &id).map_err(D::Error::custom)
    }
}

/// A rule as it is kept: the same texts and numbers as in its row.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleText {
    id: AccessRuleId,
    subject_kind: String,
    subject: String,
    role_id: i64,
    #[serde(with = "scope_text")]
    scope: Scope,
}

mod rule_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
        RuleText {
            id: rule.id,
            subject_kind: rule.subject.kind().wire_name().to_owned(),
            subject: rule.subject.name().to_owned(),
            role_id: rule.role.number(),
            scope: rule.scope,
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        let text = RuleText::deserialize(deserializer)?;
        let unknown_role = || D::Error::custom(format!("role `{}` is not known here", text.role_id));
        Ok(Rule {
            id: text.id,
            subject: SubjectKey::from_wire(&text.subject_kind, &text.subject).map_err(D::Error::custom)?,
            role: RoleId::new(text.role_id).ok_or_else(unknown_role)?,
            scope: text.scope,
        })
    }
}
