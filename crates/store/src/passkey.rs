//! Passkeys of local users: keys of authenticators by which they sign in, and with which a password alone signs them in no more.
//!
//! Nothing here is secret: of a passkey its public key is kept. What the authenticator counted last is remembered, so that of two copies of
//! a passkey one is refused, whichever process is asked.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{Email, PasskeyId, PasskeyName, SessionId, Timestamp, UserId};

use crate::{AuditEntry, Committed, CredentialHash, StoreError};

/// How many passkeys somebody has at most.
pub const PASSKEYS_OF_A_USER: i64 = 20;

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Its id here.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// The email of its owner.
    pub owner: Email,
    /// Its name, unique among its owner's.
    pub name: PasskeyName,
    /// The id that its authenticator gave it, as text; nobody else's.
    pub credential: String,
    /// Its public key, as text.
    pub key: String,
    /// What its authenticator counted at the last use; 0 of those that do not count.
    pub counter: i64,
    /// Whether it was said when it was made that it may be kept somewhere else as well.
    pub backup_eligible: bool,
    /// Whether it was said at the last use that it is kept somewhere else as well.
    pub backed_up: bool,
    /// Whether it came with a restored backup: then nobody knows whether it was removed since, and it signs nobody in.
    pub suspended: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed somebody in.
    pub last_used: Option<Timestamp>,
}

/// A passkey to keep.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// Its id, drawn by the caller.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// Its name.
    pub name: PasskeyName,
    /// The id that its authenticator gave it, as text.
    pub credential: String,
    /// Its public key, as text.
    pub key: String,
    /// What its authenticator counted.
    pub counter: i64,
    /// Whether it may be kept somewhere else as well.
    pub backup_eligible: bool,
    /// Whether it is kept somewhere else as well.
    pub backed_up: bool,
}

/// Somebody's passkeys, and what is there for the day on which they are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeysOfUser {
    /// By name.
    pub passkeys: Vec<PasskeyRow>,
    /// How many recovery codes are left. They are those of the authenticator, where there is one.
    pub recovery_codes: i64,
}

/// A use of a passkey whose signature was right.
#[derive(Debug, Clone, Copy)]
pub struct UsedPasskey {
    /// Which.
    pub id: PasskeyId,
    /// What its authenticator counted.
    pub counter: i64,
    /// Whether it is kept somewhere else as well.
    pub backed_up: bool,
    /// When.
    pub at: Timestamp,
}

/// Repository of passkeys. Every `granted` is the bootstrap exception for session records, where it is not said otherwise: each is its
/// owner's own doing.
#[async_trait]
pub trait Passkeys {
    /// Somebody's. `granted`: as the others, or read of users at account scope.
    async fn passkeys(&self, granted: &Granted, user: UserId) -> Result<PasskeysOfUser, StoreError>;

    /// The one to which its authenticator gave this id, if a local user has it.
    async fn passkey_of_credential(
        &self,
        granted: &Granted,
        credential: &str,
    ) -> Result<Option<PasskeyRow>, StoreError>;

    /// When a session began that was not ended.
    async fn session_began(
        &self,
        granted: &Granted,
        session: SessionId,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// Keeps one. `codes` are taken as recovery codes where it is the owner's first second factor; whether they were.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that the owner gave before and for a passkey that somebody has, [`StoreError::PasskeysFull`] when
    /// there are [`PASSKEYS_OF_A_USER`], [`StoreError::NotFound`] without a local user of that id.
    async fn create_passkey(
        &self,
        granted: &Granted,
        new: NewPasskey,
        codes: Vec<CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<bool>, StoreError>;

    /// Uses one; false when it is gone or suspended, or when a use was remembered that counted as far or further, whichever process was
    /// asked.
    async fn use_passkey(&self, granted: &Granted, used: &UsedPasskey) -> Result<bool, StoreError>;

    /// Removes one of `user`'s; with the last second factor the recovery codes go.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one of somebody else.
    async fn remove_passkey(
        &self,
        granted: &Granted,
        user: UserId,
        id: PasskeyId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Removes all of `user`'s, as [`Passkeys::remove_passkey`]; how many there were. `granted`: update of users at account scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    async fn remove_passkeys(
        &self,
        granted: &Granted,
        user: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<u64>, StoreError>;
}
