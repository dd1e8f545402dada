//! The audit log: each event carries the hash of the one before it, so that a removed or altered event shows. The hash is
//! keyed: whoever writes the database without the server's master key cannot make another chain that fits. Rows of versions
//! before that have plain hashes; the first keyed row says how far they go, and its hash covers theirs.
//!
//! Fields are those of the reference (control-plane 3.4). Values of requests are never among them: an event names what was
//! touched, not what was sent.

use std::collections::BTreeMap;
use std::fmt::Display;

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::list::{AuditColumn, ListQuery};
use reeve_types::{ClusterId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Page, StoreError};

/// One event, as the use case knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub timestamp: Timestamp,
    /// The request's id: the same in the log.
    pub request_id: String,
    /// Who: email or service account name; empty before anybody was authenticated.
    pub subject: String,
    /// What kind of who.
    pub subject_type: AuditSubject,
    /// From where, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// What was done.
    pub action: AuditAction,
    /// The request's method.
    pub http_method: String,
    /// The route's pattern, without values.
    pub url: String,
    /// What kind of thing was touched.
    pub entity_type: String,
    /// Its name; the store fills in what only it knows.
    pub entity_name: String,
    /// Its id; the store fills in what only it knows.
    pub entity_id: String,
    /// How it ended.
    pub result: Outcome,
    /// The status answered.
    pub http_status_code: u16,
    /// In which cluster, when in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// More, by name: which rule and role allowed it.
    pub metadata: BTreeMap<String, String>,
}

impl AuditEntry {
    /// An event of the server itself.
    #[must_use]
    pub fn of_the_system(action: AuditAction, entity: &str, request_id: String, at: Timestamp) -> Self {
        Self {
            timestamp: at,
            request_id,
            subject: "system".to_owned(),
            subject_type: AuditSubject::App,
            source_ip: None,
            action,
            http_method: String::new(),
            url: String::new(),
            entity_type: entity.to_owned(),
            entity_name: String::new(),
            entity_id: String::new(),
            result: Outcome::Succeeded,
            http_status_code: 0,
            cluster_id: None,
            metadata: BTreeMap::new(),
        }
    }

    /// The same event about a thing whose id and name are known now.
    #[must_use]
    pub fn about(mut self, id: impl ToString, name: impl ToString) -> Self {
        self.entity_id = id.to_string();
        self.entity_name = name.to_string();
        self
    }

    /// The same event, saying what something was before, and what it is: `what_before` and `what_after`.
    #[must_use]
    pub fn changing<T: Display>(mut self, what: &str, before: T, after: T) -> Self {
        self.metadata.insert(format!("{what}_before"), before.to_string());
        self.metadata.insert(format!("{what}_after"), after.to_string());
        self
    }
}

/// Kinds of acting subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuditSubject {
    /// A person.
    User,
    /// A service account, or a cluster's link.
    App,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    /// Something was made.
    Create,
    /// Something was changed.
    Update,
    /// Something was removed.
    Delete,
    /// A token was given.
    SignIn,
    /// Tokens were ended.
    SignOut,
    /// A password was set anew.
    ResetPassword,
    /// A service account was switched on.
    Enable,
    /// A service account was switched off.
    Disable,
    /// The database was found to be restored from a backup.
    Restore,
    /// Somebody at the server's machine let what was suspended after a restore be used again.
    Confirm,
    /// A uid that was given was made free again.
    Release,
    /// The audit log's chain is keyed from this event on.
    Key,
    /// Old records of failed attempts were removed from the audit log.
    Prune,
    /// Another key signs tokens from now on.
    Rotate,
    /// A refresh token was shown that had been replaced: its session was ended.
    Reuse,
}

impl AuditAction {
    /// Its own word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::ResetPassword => "reset-password",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Restore => "restore",
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Key => "key",
            Self::Prune => "prune",
            Self::Rotate => "rotate",
            Self::Reuse => "reuse",
        }
    }

    /// The reference's word for it: it has six (control-plane 3.4).
    pub const fn in_the_reference(self) -> &'static str {
        match self {
            Self::Enable | Self::Disable | Self::Restore | Self::Confirm | Self::Key | Self::Rotate => {
                Self::Update.as_str()
            }
            Self::Release | Self::Prune => Self::Delete.as_str(),
            Self::Reuse => Self::SignOut.as_str(),
            Self::Create
            | Self::Update
            | Self::Delete
            | Self::SignIn
            | Self::SignOut
            | Self::ResetPassword => self.as_str(),
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was refused.
    Failed,
}

/// The end of the chain at some moment: the server logs it, and any later chain must lead to it. By default that of an empty log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the last event; 0 of an empty log.
    pub sequence: i64,
    /// Its hash; empty of an empty log.
    pub mac: String,
}

impl Display for AuditHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.sequence, self.mac)
    }
}

impl std::str::FromStr for AuditHead {
    type Err = String;

    /// Reads `NUMBER:HASH`, as it is printed.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no head of the audit log: NUMBER:HASH is needed, as the log says it");
        let (sequence, mac) = text.split_once(':').ok_or_else(wrong)?;
        let sequence = sequence
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(wrong)?;
        let hex = mac.len() == 64 && mac.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| Self {
            sequence,
            mac: mac.to_ascii_lowercase(),
        })
        .ok_or_else(wrong)
    }
}

/// One event, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the chain, from 1; without gaps but those that [`Audit::prune_attempts`] left and recorded.
    pub sequence: i64,
    /// The hash of the event before it; empty for the first.
    pub previous: String,
    /// HMAC-SHA256 in hex over sequence, `previous` and the event; plain SHA-256 in rows of before the chain was keyed.
    pub hash: String,
    /// Whether the hash is keyed.
    pub keyed: bool,
    /// What happened.
    pub entry: AuditEntry,
}

/// One event, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// The event.
    pub row: AuditRow,
    /// The name that its cluster had when it was written, where it was in one.
    pub cluster_name: Option<String>,
}

/// Of an event that says what was pruned, the metadata that names it: `first-last:previous`, separated by commas, where
/// `previous` is the hash that the first of the removed events carried.
pub const PRUNED: &str = "pruned";

/// The audit log.
#[async_trait]
pub trait Audit {
    /// Writes an event that goes with no other change: a refusal. `granted` is the bootstrap exception for session records.
    async fn record(&self, granted: &Granted, entry: AuditEntry) -> Result<(), StoreError>;

    /// Writes events that sum up failed attempts, all of them or none, and notes that they may be pruned one day. `granted` is
    /// the bootstrap exception for session records.
    async fn record_attempts(&self, granted: &Granted, entries: Vec<AuditEntry>) -> Result<(), StoreError>;

    /// Removes at most `limit` events of [`Audit::record_attempts`] whose timestamp is before `before` and whose place in the
    /// chain is before `end`; how many. What is known outside of the database is at `end` or later, so that it can always be
    /// found again. In the same transaction `entry` goes into the chain, with what was removed in its metadata ([`PRUNED`]), so that the chain can
    /// still be verified. Without any such event nothing is written. `granted` is the bootstrap exception for session records.
    async fn prune_attempts(
        &self,
        granted: &Granted,
        before: Timestamp,
        end: i64,
        limit: i64,
        entry: AuditEntry,
    ) -> Result<usize, StoreError>;

    /// At most `limit` events after `sequence`. `granted`: read of events-history at account scope.
    async fn audit_events(
        &self,
        granted: &Granted,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// A page of the events from `between.0` to `between.1`, both included, and how many all pages hold. `granted`: read of
    /// events-history at account scope.
    async fn audit_log(
        &self,
        granted: &Granted,
        query: &ListQuery<AuditColumn>,
        between: (Timestamp, Timestamp),
    ) -> Result<(Page<LoggedEvent>, u64), StoreError>;

    /// Recomputes the whole chain; the number of events in it. `granted`: read of events-history at account scope.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] naming the first event that does not fit.
    async fn verify_audit_chain(&self, granted: &Granted) -> Result<i64, StoreError>;
}
