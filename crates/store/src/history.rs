//! Histories: which run of a server wrote which revisions.
//!
//! A revision alone does not say which state it is of: a database that is restored from a backup counts on from an older
//! revision, along another way. So each run of a server begins a history, and with which revision of each cluster it began
//! is kept in the database, where a backup has it too. No clock decides anything.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_link::Resume;
use reeve_types::{ClusterId, HistoryId, Timestamp};

use crate::StoreError;

/// How many histories are remembered. Who comes from an older one begins anew.
pub const HISTORIES_KEPT: i64 = 100;

/// Repository of histories.
#[async_trait]
pub trait Histories {
    /// Begins a history: what is written from now on is of it, until the next begins. A server does this once, before it
    /// writes anything that reaches a cluster. Forgets histories older than the last [`HISTORIES_KEPT`], and the tombstones
    /// in desired state that nobody needs who comes from one of those.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the id was used before.
    async fn begin_history(&self, id: HistoryId, started_at: Timestamp) -> Result<(), StoreError>;

    /// Whether the state a cluster has reached in a history is the beginning of what it is here: the history is one of ours,
    /// and the revision is not beyond the one with which the next history began; of the present history, not beyond the
    /// present revision. False for an unknown cluster. `granted` is the bootstrap exception for link status.
    async fn continues(
        &self,
        granted: &Granted,
        cluster: ClusterId,
        resume: &Resume,
    ) -> Result<bool, StoreError>;
}
