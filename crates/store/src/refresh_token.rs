//! Refresh tokens: what a client renews the tokens of its session with.
//!
//! They are a part of their session's row, so that none outlives its session, whatever ends that. A session has one at a time, and of that
//! a hash is kept; so is the one before it, for a client that never got the answer.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{SessionId, Timestamp};

use crate::{AuditEntry, Committed, CredentialHash, SessionFacts, StoreError};

/// For how long a refresh token that was replaced gives its successor again, in seconds: long enough for a client whose answer was lost
/// and that asks again, which ours does within its own 30 seconds of patience.
pub const REPEATED_SECONDS: i64 = 60;

/// The first refresh token of a session.
#[derive(Debug, Clone)]
pub struct NewRefreshToken {
    /// Of which session.
    pub session: SessionId,
    /// To which client it is given.
    pub client: String,
    /// What is kept of it.
    pub token: CredentialHash,
    /// Until when it is good unless it is used.
    pub until: Timestamp,
}

/// A refresh token that somebody shows.
#[derive(Debug, Clone)]
pub struct ShownRefreshToken {
    /// Of which session it is.
    pub session: SessionId,
    /// The client that shows it, if it said so.
    pub client: Option<String>,
    /// What is kept of it.
    pub token: CredentialHash,
    /// What is kept of the one that follows it, always the same.
    pub successor: CredentialHash,
    /// Until when that one is good unless it is used.
    pub until: Timestamp,
}

/// What became of a refresh token that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// It was the good one, and its successor is now; or it was that [`REPEATED_SECONDS`] ago or less, and its successor still is.
    Given {
        /// The session.
        session: SessionFacts,
        /// When it began.
        began: Timestamp,
        /// Whether it was replaced before.
        again: bool,
    },
    /// It was good once, and another is now: somebody else has a copy. Nothing was changed.
    Reused(SessionFacts),
    /// Its session is over or has none, it was not used for too long, or another client shows it. Nothing was changed.
    Over,
}

/// Repository of refresh tokens. Every `granted` is the bootstrap exception for session records.
#[async_trait]
pub trait RefreshTokens {
    /// Gives a session that lives at `at` its first refresh token; false when it has one, or does not live.
    async fn give_refresh_token(
        &self,
        granted: &Granted,
        new: NewRefreshToken,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Puts the successor in the place of a refresh token, at the moment of `entry`, which is written when that is done; of two that show
    /// the same token one does it. Only tokens that were given once may be shown: whoever calls has looked at that.
    async fn renew_by_refresh_token(
        &self,
        granted: &Granted,
        shown: ShownRefreshToken,
        entry: AuditEntry,
    ) -> Result<Committed<Renewal>, StoreError>;
}
