//! People.

use std::fmt;

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::list::{ListQuery, UserColumn};
use reeve_types::{AccessRuleId, Email, GroupName, PosixIdentity, SessionId, Timestamp, Uid, UserId};

use crate::{AuditEntry, Committed, Page, StoreError};

/// What checks a password or a secret: a hash. Not the secret, and all the same printed nowhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialHash(String);

impl CredentialHash {
    /// Wraps the hash in its text form.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it came out of a backup and nobody confirmed since that it still counts: then it passes nothing.
    pub fn is_suspended(&self) -> bool {
        self.0.starts_with(SUSPENDED)
    }
}

/// What a suspended verifier begins with: no hash does, so that whoever forgets to ask refuses as well.
pub const SUSPENDED: &str = "suspended:";

impl fmt::Debug for CredentialHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[verifier]")
    }
}

/// For how long wrong passwords of one user count together, in seconds.
pub const WRONG_PASSWORDS_SECONDS: i64 = 15 * 60;

/// How often a wrong password was given for a user, without a right one in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongPasswords {
    /// How often.
    pub count: i64,
    /// When the first of them was.
    pub since: Timestamp,
}

impl WrongPasswords {
    /// How many count now: none once [`WRONG_PASSWORDS_SECONDS`] are over, or when the clock was set back before the first.
    pub fn count_at(&self, now: Timestamp) -> i64 {
        let counts = self.since <= now && now < self.since.plus_seconds(WRONG_PASSWORDS_SECONDS);
        if counts { self.count } else { 0 }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The user's id: `sub` of the user's tokens.
    pub id: UserId,
    /// The user's email, unique: the key by which rules name the user.
    pub email: Email,
    /// Whether the user is a local one, with a password here.
    pub is_local: bool,
    /// Whether that password is one that an administrator made, and the user has not chosen another since.
    pub temporary_password: bool,
    /// The POSIX identity that an administrator gave the user, if any.
    pub posix: Option<PosixIdentity>,
    /// When the user was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// When the user last signed in.
    pub last_login: Option<Timestamp>,
    /// The groups that this last sign-in showed; absent before the first one.
    pub groups: Option<Vec<GroupName>>,
}

/// A person to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id, drawn by the caller.
    pub id: UserId,
    /// The email.
    pub email: Email,
    /// What checks the password; none of a user for whom an identity provider speaks.
    pub password: Option<CredentialHash>,
    /// Whether the user has to choose another password before anything else.
    pub temporary_password: bool,
    /// The POSIX identity, if the user is given one.
    pub posix: Option<PosixIdentity>,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// How long an email rests after its owner, who had signed in, was deleted: as long as a Kubernetes token lives, which nobody can call back and
/// which names the user by it, and a minute more for clocks that differ.
pub const EMAIL_RESTS_SECONDS: i64 = 6 * 60;

/// A password that somebody chose.
#[derive(Debug, Clone)]
pub struct NewOwnPassword {
    /// What checks it.
    pub password: CredentialHash,
    /// What checks the one that was shown.
    pub proven: CredentialHash,
    /// The session that goes on.
    pub session: SessionId,
    /// When.
    pub at: Timestamp,
}

/// Repository of people. All of it is account-wide: every `granted` here is for users at account scope.
#[async_trait]
pub trait Users {
    /// A page of everybody, or of those with (`local`) or without a password of ours; by email where nothing else is asked
    /// for. `granted`: read.
    async fn users(
        &self,
        granted: &Granted,
        query: &ListQuery<UserColumn>,
        local: Option<bool>,
    ) -> Result<Page<UserRow>, StoreError>;

    /// How many the pages of [`Users::users`] hold together. `granted`: read.
    async fn count_users(
        &self,
        granted: &Granted,
        query: &ListQuery<UserColumn>,
        local: Option<bool>,
    ) -> Result<u64, StoreError>;

    /// One. `granted`: read.
    async fn user(&self, granted: &Granted, id: UserId) -> Result<Option<UserRow>, StoreError>;

    /// Makes one. `granted`: create.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a known email, [`StoreError::EmailRests`] for one whose owner had signed in and was
    /// deleted less than [`EMAIL_RESTS_SECONDS`] before, [`StoreError::UidTaken`] for a uid that was ever given to another.
    async fn create_user(
        &self,
        granted: &Granted,
        new: NewUser,
        entry: AuditEntry,
    ) -> Result<Committed<UserRow>, StoreError>;

    /// Gives the user another POSIX identity, or none. The event says which before and after. `granted`: update.
    async fn set_posix(
        &self,
        granted: &Granted,
        id: UserId,
        posix: Option<PosixIdentity>,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<UserRow>, StoreError>;

    /// Makes a uid free that was given by mistake. The event says whose it was. `granted`: update.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a uid that was never given, [`StoreError::UidInUse`] while somebody has it, a workload bears
    /// it, or a Kubernetes token may still name it.
    async fn release_uid(
        &self,
        granted: &Granted,
        uid: Uid,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError>;

    /// Gives the user another password, a temporary one, and ends the user's sessions; answers as [`Users::end_sessions`]. `granted`: update.
    async fn set_password(
        &self,
        granted: &Granted,
        id: UserId,
        password: CredentialHash,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// The user takes another password, which is no temporary one; every session of the user ends but the one in which that is done, and how
    /// many did is answered.
    /// `None`, and nothing changes, where the password is not the one that was shown any more. `granted` is the bootstrap exception for
    /// session records: the password until now was shown.
    async fn change_own_password(
        &self,
        granted: &Granted,
        id: UserId,
        new: NewOwnPassword,
        entry: AuditEntry,
    ) -> Result<Option<Committed<usize>>, StoreError>;

    /// Ends every session of the user that was begun before this change, and no later one; how many. `granted`: update.
    async fn end_sessions(
        &self,
        granted: &Granted,
        id: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// Removes the user and soft-deletes the user's rules; answers those rules. `granted`: delete.
    ///
    /// # Errors
    /// [`StoreError::LastAdministrator`].
    async fn delete_user(
        &self,
        granted: &Granted,
        id: UserId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError>;
}
