//! Credentials that the control plane keeps: their values sealed, with the number of the key beside them.
//!
//! A store sees sealed text alone. The desired state of a cluster names a credential and its [`NewValues::stamp`]; the values are
//! read ([`CredentialAssets::sealed_credentials`]) and opened when they are sent.

use async_trait::async_trait;
use reeve_authz::{Granted, Scope, Visible};
use reeve_types::{ClusterId, CredentialAssetId, CredentialAssetKind, CredentialAssetName, Timestamp};
use serde_json::Value;

use crate::{AssetFilter, AssetOrigin, AuditEntry, Committed, StatusRow, StoreError};

/// A credential, without its values.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialAssetRow {
    /// Its id.
    pub id: CredentialAssetId,
    /// Its kind.
    pub kind: CredentialAssetKind,
    /// Its name, unique in its scope.
    pub name: CredentialAssetName,
    /// For people.
    pub description: Option<String>,
    /// Whose it is, and who made and changed it.
    pub origin: AssetOrigin,
    /// What of the values may be shown.
    pub shown: Value,
    /// The number of the key that the values are sealed with.
    pub key_id: i32,
    /// The stamp of the values.
    pub stamp: String,
    /// What clusters say of it.
    pub statuses: Vec<(ClusterId, StatusRow)>,
}

/// Values to keep.
#[derive(Debug, Clone)]
pub struct NewValues {
    /// What of them may be shown.
    pub shown: Value,
    /// Sealed for the row.
    pub sealed: SealedValues,
    /// Differs from that of every other values, and says nothing of them.
    pub stamp: String,
}

/// Sealed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValues {
    /// The number of the key.
    pub key_id: i32,
    /// Base64.
    pub text: String,
}

/// Sealed values and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// Whose.
    pub id: CredentialAssetId,
    /// The values.
    pub sealed: SealedValues,
    /// Their stamp.
    pub stamp: String,
}

/// A credential to make.
#[derive(Debug, Clone)]
pub struct NewCredentialAsset {
    /// Its id.
    pub id: CredentialAssetId,
    /// Its kind.
    pub kind: CredentialAssetKind,
    /// Its name.
    pub name: CredentialAssetName,
    /// For people.
    pub description: Option<String>,
    /// Whose it is.
    pub scope: Scope,
    /// The values.
    pub values: NewValues,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What is to change of one.
#[derive(Debug, Clone)]
pub struct ChangeCredentialAsset {
    /// Another description; empty removes it.
    pub description: Option<String>,
    /// Other values.
    pub values: Option<NewValues>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Values that were sealed anew.
#[derive(Debug, Clone)]
pub struct Resealed {
    /// As they were read: what changed meanwhile stays as it is.
    pub before: SealedCredential,
    /// As they are to be.
    pub after: SealedValues,
}

/// What of the credentials is listed.
#[derive(Debug, Clone, Default)]
pub struct CredentialAssetFilter {
    /// Of this kind.
    pub kind: Option<CredentialAssetKind>,
    /// Of this name, at this scope.
    pub asset: AssetFilter,
    /// Made by whoever had this email or name.
    pub created_by: Option<String>,
}

/// Repository of credentials.
#[async_trait]
pub trait CredentialAssets {
    /// Those that may be seen, by name.
    async fn credential_assets(
        &self,
        visible: &Visible,
        filter: &CredentialAssetFilter,
    ) -> Result<Vec<CredentialAssetRow>, StoreError>;

    /// One. `granted`: read of credentials at its scope.
    async fn credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
    ) -> Result<Option<CredentialAssetRow>, StoreError>;

    /// Keeps one, in every cluster that its scope reaches. `granted`: create of credentials at its scope.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that the scope has, [`StoreError::AssetsFull`], [`StoreError::NotFound`] for a
    /// scope that is not there.
    async fn create_credential_asset(
        &self,
        granted: &Granted,
        new: NewCredentialAsset,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialAssetRow>, StoreError>;

    /// Changes one. `granted`: update of credentials at its scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn update_credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
        change: ChangeCredentialAsset,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialAssetRow>, StoreError>;

    /// Removes one. `granted`: delete of credentials at its scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn delete_credential_asset(
        &self,
        granted: &Granted,
        id: CredentialAssetId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// The sealed values of those of these that are there. `granted`: the exception of the link.
    async fn sealed_credentials(
        &self,
        granted: &Granted,
        ids: &[CredentialAssetId],
    ) -> Result<Vec<SealedCredential>, StoreError>;

    /// The numbers of the keys in use, and of how many rows each. It says nothing else.
    async fn credential_keys(&self) -> Result<Vec<(i32, u64)>, StoreError>;

    /// At most `most` of those that are sealed with another key. `granted` is the bootstrap exception for the rotation of
    /// keys.
    async fn sealed_with_other_keys(
        &self,
        granted: &Granted,
        key: i32,
        most: u32,
    ) -> Result<Vec<SealedCredential>, StoreError>;

    /// Keeps values that were sealed anew, in one transaction; how many. What changed since it was read stays. `granted` as for
    /// [`CredentialAssets::sealed_with_other_keys`].
    async fn reseal_credentials(
        &self,
        granted: &Granted,
        resealed: &[Resealed],
        entry: AuditEntry,
    ) -> Result<Committed<u64>, StoreError>;
}
