//! The fence: what a copy outside the database must know, so that a database that was restored from a backup is recognised
//! and revives nothing.
//!
//! A database alone cannot tell that it is older than it was. So after each change the server writes outside of it how far
//! the audit log has come ([`FenceNews`]), and at its start asks whether the database knows that event
//! ([`Fence::knows_head`]). A database that was killed is never behind what was written outside after its commits; one that
//! was restored is. Then [`Fence::recover`] ends every session, suspends every password and secret, and keeps every number
//! and uid that was given in the part that is lost.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{Timestamp, Uid, UserId};
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, AuditHead, StoreError};

/// What of the database has to be known outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceNews {
    /// How far the audit log has come.
    pub head: AuditHead,
    /// The last numbers that were drawn, by name of their counter.
    pub numbers: BTreeMap<String, i64>,
    /// Uids that were given, with whom to, or made free again, by events after the one asked about.
    pub uids: Vec<(Uid, Option<UserId>)>,
}

/// What was known outside of a database that turns out to be older.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fenced {
    /// How far the audit log had come.
    pub head: AuditHead,
    /// How often a database was found restored. Numbers of clusters' link secrets of different eras never meet.
    pub era: i64,
    /// The last numbers that were drawn.
    pub numbers: BTreeMap<String, i64>,
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// Passwords of people.
    Passwords,
    /// Secrets of service accounts.
    Secrets,
    /// Link secrets of clusters.
    Clusters,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Passwords, Self::Secrets, Self::Clusters];

    /// For a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Passwords => "passwords",
            Self::Secrets => "application secrets",
            Self::Clusters => "cluster secrets",
        }
    }
}

/// How many credentials are suspended since a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suspended {
    /// Passwords of people.
    pub passwords: i64,
    /// Secrets of service accounts.
    pub secrets: i64,
    /// Link secrets of clusters.
    pub clusters: i64,
}

impl Suspended {
    /// True when nothing is.
    pub const fn is_empty(&self) -> bool {
        self.passwords == 0 && self.secrets == 0 && self.clusters == 0
    }
}

/// What was done about a restored database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// The era that begins.
    pub era: i64,
    /// How many credentials are suspended now.
    pub suspended: Suspended,
}

/// Repository of what the fence needs. Every `granted` here is the bootstrap exception for recovery.
#[async_trait]
pub trait Fence {
    /// What is to be known outside, with the uids of events after `since`.
    async fn fence_news(&self, since: i64) -> Result<FenceNews, StoreError>;

    /// Whether the audit log has this event.
    async fn knows_head(&self, head: &AuditHead) -> Result<bool, StoreError>;

    /// Ends every session for good, suspends every password, secret and link secret ([`crate::Verifier::is_suspended`]), and
    /// raises the counters to what was drawn, and notes `uids` as given to whom they were given. The event says all of it.
    async fn recover(
        &self,
        granted: &Granted,
        fenced: &Fenced,
        uids: &[(Uid, UserId)],
        entry: AuditEntry,
    ) -> Result<Recovered, StoreError>;

    /// How many credentials are suspended.
    async fn suspended(&self) -> Result<Suspended, StoreError>;

    /// Lets the suspended credentials of a kind be used again; how many those were.
    async fn confirm(
        &self,
        granted: &Granted,
        kind: CredentialKind,
        entry: AuditEntry,
    ) -> Result<u64, StoreError>;

    /// Gives somebody another password without anybody's rule: whoever is at the server's own machine has to begin somewhere.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown email.
    async fn recover_password(
        &self,
        granted: &Granted,
        email: &reeve_types::Email,
        password: crate::Verifier,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError>;
}
