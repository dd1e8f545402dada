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

use crate::{AuditEntry, AuditHead, ChangeMark, StoreError};

/// The number of a cluster's link secret is its era times two to the power of this, and how often the secret was replaced in it.
pub const ERA_BITS: u32 = 32;

/// What of the database has to be known outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceNews {
    /// How far the audit log has come.
    pub head: AuditHead,
    /// The era of the numbers that tokens carry ([`Fenced::era`]).
    pub era: i64,
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
    /// How often the database was found restored until that event, by whichever process. Numbers of clusters' link secrets of
    /// different eras never meet.
    pub era: i64,
    /// The last numbers that were drawn.
    pub numbers: BTreeMap<String, i64>,
}

/// What one write added to what has to be known outside of the database, where that is everything it added: then it need not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceStep {
    /// How far the audit log had come before, as the write found it.
    pub from: AuditHead,
    /// And after.
    pub to: AuditHead,
    /// The numbers that it drew, by name of their counter.
    pub numbers: BTreeMap<String, i64>,
    /// Whether it ended nothing that a backup could revive and drew no number: then its answer need not wait for another disk.
    pub can_wait: bool,
}

impl Fenced {
    /// Goes on by one write; none where this is not the place that the write went on from.
    pub fn after(&self, step: &FenceStep) -> Option<Self> {
        let mut numbers = self.numbers.clone();
        numbers.extend(step.numbers.clone());
        (self.head == step.from).then(|| Self {
            head: step.to.clone(),
            era: self.era,
            numbers,
        })
    }
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// Passwords and passkeys of people.
    Passwords,
    /// Secrets of service accounts and access keys.
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
            Self::Secrets => "secrets of applications and access keys",
            Self::Clusters => "cluster secrets",
        }
    }
}

/// How many credentials are suspended since a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suspended {
    /// Passwords and passkeys of people.
    pub passwords: i64,
    /// Secrets of service accounts and access keys.
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

/// By what a database is found to be another one than it was, while a server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It does not know the event that is known outside of it.
    Head,
    /// It does not know this place of its change log, which was read before.
    Mark {
        /// The place.
        mark: ChangeMark,
        /// The era of the numbers in the directory as of that place.
        era: i64,
    },
}

/// What became of the evidence once nobody else could write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing is lost: what was asked before was an older copy, a standby for example.
    Nothing,
    /// The database was restored, and another process ended everything meanwhile: in this era.
    Settled(i64),
    /// The database was restored; everything in it is ended now.
    Ended(Recovered),
}

/// Repository of what the fence needs. Every `granted` here is the bootstrap exception for recovery.
#[async_trait]
pub trait Fence {
    /// What is to be known outside, with the uids of events after `since`.
    async fn fence_news(&self, since: i64) -> Result<FenceNews, StoreError>;

    /// As [`Fence::fence_news`] for the events after `head`, as of the same moment at which the audit log is found to have that
    /// event. `None` when it has not.
    async fn fence_news_after(&self, head: &AuditHead) -> Result<Option<FenceNews>, StoreError>;

    /// Whether the audit log has this event.
    async fn knows_head(&self, head: &AuditHead) -> Result<bool, StoreError>;

    /// Ends every session for good, suspends every password, secret and link secret ([`crate::CredentialHash::is_suspended`]), and
    /// raises the counters to what was drawn, and notes `uids` as given to whom they were given. The event says all of it.
    async fn recover(
        &self,
        granted: &Granted,
        fenced: &Fenced,
        uids: &[(Uid, UserId)],
        entry: AuditEntry,
    ) -> Result<Recovered, StoreError>;

    /// As [`Fence::recover`] if `evidence` holds once nobody else can write. Of several processes that find the same database
    /// restored, each with a fence of its own, one does so: the others see that the era is a later one than that of their
    /// fence, and only keep the numbers and uids that they alone know of.
    async fn recover_lost(
        &self,
        granted: &Granted,
        fenced: &Fenced,
        uids: &[(Uid, UserId)],
        evidence: &Evidence,
        entry: AuditEntry,
    ) -> Result<Loss, StoreError>;

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
        password: crate::CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError>;
}
