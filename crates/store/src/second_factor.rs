//! Authenticators of local users: one-time codes beside the password.
//!
//! What makes the codes is kept sealed by the caller; here it is only remembered which code was used last, how often a wrong one was
//! given, and hashes of the recovery codes.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{Timestamp, UserId};

use crate::{AuditEntry, Committed, CredentialHash, StoreError};

/// After how many wrong codes in a row none is looked at any more, and for how long, in seconds. Whoever comes so far has the
/// password; and its owner is kept out for no longer than this.
pub const WRONG_CODES: i64 = 5;
/// See [`WRONG_CODES`].
pub const WRONG_CODES_REST_SECONDS: i64 = 15 * 60;

/// Somebody's authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorRow {
    /// What makes its codes, sealed for its owner.
    pub sealed: String,
    /// Whether a first code of it was given: only then is it asked for.
    pub confirmed: bool,
    /// How many wrong codes were given since the last right one.
    pub wrong: i64,
    /// When the last wrong one was.
    pub wrong_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

impl AuthenticatorRow {
    /// Until when no code is looked at, if that is so.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.wrong_at.plus_seconds(WRONG_CODES_REST_SECONDS);
        (self.wrong >= WRONG_CODES && now < until).then_some(until)
    }
}

/// Repository of authenticators. Every `granted` is the bootstrap exception for session records, where it is not said otherwise: each
/// is its owner's own doing.
#[async_trait]
pub trait SecondFactors {
    /// Somebody's, if there is one.
    async fn authenticator(
        &self,
        granted: &Granted,
        user: UserId,
    ) -> Result<Option<AuthenticatorRow>, StoreError>;

    /// Makes one that is not asked for yet, in the place of such a one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is one that is asked for, [`StoreError::NotFound`] without a local user of that id.
    async fn create_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        sealed: String,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// From now on it is asked for; `step` was shown, and these are the recovery codes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none that waits for that.
    async fn confirm_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        step: i64,
        codes: Vec<CredentialHash>,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Uses the code of a step; false when that one or a later one was used before, whichever process was asked.
    async fn use_step(&self, granted: &Granted, user: UserId, step: i64) -> Result<bool, StoreError>;

    /// Uses a recovery code; false when there is none such, or not any more.
    async fn use_recovery_code(
        &self,
        granted: &Granted,
        user: UserId,
        code: &CredentialHash,
    ) -> Result<bool, StoreError>;

    /// Counts a wrong code.
    async fn note_wrong_code(&self, granted: &Granted, user: UserId, at: Timestamp)
    -> Result<(), StoreError>;

    /// Removes it and its recovery codes. `granted`: as the others, or update of users at account scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn remove_authenticator(
        &self,
        granted: &Granted,
        user: UserId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
