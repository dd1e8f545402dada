//! Access keys (older name: user applications): secrets with which programs act as the person who made them.
//!
//! A key has no rights of its own. At each request it has those that its owner has then: rules that name the owner, and rules
//! that name a group which a session of the owner's own shows, as long as that session lives ([`crate::KeySession`]).

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::list::PageQuery;
use reeve_types::{AccessKeyId, AccessKeyName, Email, Timestamp, UserId};

use crate::{AuditEntry, Committed, CredentialHash, StoreError};

/// How many access keys somebody has at most (control-plane 1.7).
pub const ACCESS_KEYS_OF_A_USER: i64 = 20;
/// For how long the keys of somebody who comes by an identity provider go on being good after the provider last spoke for them,
/// in seconds. Then they rest until the owner signs in again: whoever left, and whom the provider does not let in any more, does
/// not come in by a key either.
pub const KEY_RESTS_SECONDS: i64 = 30 * 24 * 3600;

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeyRow {
    /// Its id.
    pub id: AccessKeyId,
    /// Its name, unique among its owner's.
    pub name: AccessKeyName,
    /// Whose it is.
    pub user: UserId,
    /// The email of the owner.
    pub owner: Email,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last got a token.
    pub last_login: Option<Timestamp>,
}

/// An access key to make.
#[derive(Debug, Clone)]
pub struct NewAccessKey {
    /// Its id, drawn by the caller.
    pub id: AccessKeyId,
    /// Its name.
    pub name: AccessKeyName,
    /// Whose it is.
    pub user: UserId,
    /// What checks its secret.
    pub secret: CredentialHash,
    /// When.
    pub created_at: Timestamp,
}

/// Which of everybody's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessKeyFilter {
    /// This one alone.
    pub id: Option<AccessKeyId>,
    /// Those of this person alone.
    pub owner: Option<Email>,
    /// A page of them.
    pub page: PageQuery,
}

/// Repository of access keys. Every `granted` that is not said otherwise is the bootstrap exception for one's own access keys; `user`
/// is who asks.
#[async_trait]
pub trait AccessKeys {
    /// Those of one person, at most [`ACCESS_KEYS_OF_A_USER`], by name.
    async fn access_keys(&self, granted: &Granted, user: UserId) -> Result<Vec<AccessKeyRow>, StoreError>;

    /// A page of everybody's, by owner and name. `granted`: read of access-keys at account scope.
    async fn all_access_keys(
        &self,
        granted: &Granted,
        filter: &AccessKeyFilter,
    ) -> Result<Vec<AccessKeyRow>, StoreError>;

    /// Makes one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that the owner has given before, [`StoreError::AccessKeysFull`] when there are
    /// [`ACCESS_KEYS_OF_A_USER`], [`StoreError::NotFound`] without the owner.
    async fn create_access_key(
        &self,
        granted: &Granted,
        new: NewAccessKey,
        entry: AuditEntry,
    ) -> Result<Committed<AccessKeyRow>, StoreError>;

    /// Gives it another secret and ends the sessions that it began; how many.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one of somebody else.
    async fn set_access_key_secret(
        &self,
        granted: &Granted,
        user: UserId,
        id: AccessKeyId,
        secret: CredentialHash,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// Removes it and ends the sessions that it began; how many.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one of somebody else.
    async fn delete_access_key(
        &self,
        granted: &Granted,
        user: UserId,
        id: AccessKeyId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// As [`AccessKeys::delete_access_key`], of anybody. `granted`: delete of access-keys at account scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn delete_anybodys_access_key(
        &self,
        granted: &Granted,
        id: AccessKeyId,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;
}
