//! Sessions: what a sign-in began, and its end.
//!
//! A token is good as long as its session is in the directory and its end has not come. So whoever ends a session, or all of
//! somebody's, is done with it everywhere as soon as each process has applied the change; no clock and no list of forbidden
//! tokens has a say in that. A database that was put back from a backup knows no session that began after it, and ends those
//! that it knows ([`crate::Fence::recover`]).

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{
    AccessKeyId, GroupName, PosixIdentity, SessionId, SignInMethod, SubjectId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, Committed, CredentialHash, SessionProvider, StoreError};

/// How many sessions one subject has at most. One more ends the oldest.
pub const SESSIONS_OF_A_SUBJECT: i64 = 64;
/// How many sessions one access key has at most, beside those of its owner.
pub const SESSIONS_OF_A_KEY: i64 = 4;
/// For how long a session that ended is still shown, and its POSIX identity not given to others, in seconds.
pub const ENDED_SHOWN_SECONDS: i64 = 24 * 3600;

/// What is known of a session at each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionFacts {
    /// Its id: what tokens name it by.
    pub id: SessionId,
    /// Whose it is.
    pub subject: SubjectId,
    /// The groups that the sign-in showed: rules that name one of them count. Sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupName>,
    /// The POSIX identity that the identity provider gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posix: Option<PosixIdentity>,
    /// When it ends by itself.
    pub until: Timestamp,
    /// The access key that began it; absent of one that the subject began by signing in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<Box<KeySession>>,
    /// Whether it began with a local user's password. While that is a temporary one, the session is good for choosing another alone.
    #[serde(default, skip_serializing_if = "crate::is_false")]
    pub by_password: bool,
}

/// What a session is that an access key began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySession {
    /// The key.
    pub key: AccessKeyId,
    /// A session of the owner's own, of an identity provider. As long as that lives, its groups and POSIX identity count in this
    /// one, as they are then; afterwards none do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<SessionId>,
}

/// A session, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// What requests go by.
    pub facts: SessionFacts,
    /// How the subject signed in.
    pub method: SignInMethod,
    /// When.
    pub created: Timestamp,
    /// When a token was last given in it.
    pub refreshed: Timestamp,
    /// When it was ended; absent as long as it was not.
    pub ended: Option<Timestamp>,
}

/// A sign-in to write down.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id of the session that begins, drawn by the caller.
    pub id: SessionId,
    /// Who signed in.
    pub subject: SubjectId,
    /// How.
    pub method: SignInMethod,
    /// With which groups.
    pub groups: Vec<GroupName>,
    /// With which POSIX identity of the identity provider.
    pub posix: Option<PosixIdentity>,
    /// When it ends by itself.
    pub until: Timestamp,
    /// A session of the same subject and method that ends then or later is gone on with; none begins. For whoever signs in
    /// thousands of times an hour, as applications do.
    pub go_on_until: Option<Timestamp>,
    /// Of a sign-in through an identity provider: which, and how it is asked again.
    pub provider: Option<SessionProvider>,
    /// Of a sign-in by an access key of the subject's: which.
    pub access_key: Option<AccessKeyId>,
}

/// Repository of sessions.
#[async_trait]
pub trait Sessions {
    /// Writes down a sign-in, of the moment of `entry`: the session, and on the subject when and with which groups that was.
    /// `proven` is what a password or secret was compared with; when it is no longer what checks the subject, or the subject is
    /// disabled or gone, nothing is written and there is no session. Sessions over [`SESSIONS_OF_A_SUBJECT`], or
    /// [`SESSIONS_OF_A_KEY`], end, the oldest first. A key rests, and begins none, when its owner comes by an identity provider and
    /// has not for [`crate::KEY_RESTS_SECONDS`]. `granted` is the bootstrap exception for session records.
    ///
    /// # Errors
    /// [`StoreError::UidTaken`] when the identity provider gives a uid that was ever given to another; that counts only while no
    /// administrator gave this user a POSIX identity.
    async fn begin_session(
        &self,
        granted: &Granted,
        new: NewSession,
        proven: Option<&CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<Option<SessionFacts>>, StoreError>;

    /// Counts wrong passwords of users, of before `at`: with those of the same [`crate::WRONG_PASSWORDS_SECONDS`], which begin with the
    /// first. Whoever is gone is left out. A session that is begun with the right password, and a new one, begin anew. `granted` is the
    /// bootstrap exception for session records.
    async fn note_wrong_passwords(
        &self,
        granted: &Granted,
        wrong: &[(UserId, i64)],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Ends one session, at the moment of `entry`. `granted`: update of users at account scope, for a service account's update of
    /// service-account; or, for the subject's own doing, the bootstrap exception for session records.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that the subject does not have or that ended before.
    async fn end_session(
        &self,
        granted: &Granted,
        subject: SubjectId,
        id: SessionId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Sessions of a subject, the newest first, those that ended in the last [`ENDED_SHOWN_SECONDS`] or so included. `granted`: read
    /// of users, or of service-account, at account scope.
    async fn sessions(&self, granted: &Granted, subject: SubjectId) -> Result<Vec<SessionRow>, StoreError>;

    /// Forgets at most `limit` sessions that ended, by themselves or not, before `before`; how many. Nobody could use them any
    /// more: no event says so. `granted` is the bootstrap exception for session records.
    async fn prune_sessions(
        &self,
        granted: &Granted,
        before: Timestamp,
        limit: i64,
    ) -> Result<Committed<usize>, StoreError>;
}
