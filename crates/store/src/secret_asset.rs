//! Secret assets: a credential as a source of data, with where workloads find it. They hold no values.

use async_trait::async_trait;
use reeve_authz::{Granted, Scope, Visible};
use reeve_types::{
    ClusterId, CredentialAssetId, CredentialAssetName, DepartmentId, ProjectId, SecretAssetId, Timestamp,
};

use crate::{AssetFilter, AssetOrigin, AuditEntry, Committed, StoreError};

/// What a secret asset says of workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAssetSpec {
    /// The credential. It may be gone by now.
    pub credential_id: CredentialAssetId,
    /// Where a container finds its Secret.
    pub mount_path: Option<String>,
    /// The mode of the files there: four octal digits.
    pub default_mode: Option<String>,
}

/// A secret asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAssetRow {
    /// Its id.
    pub id: SecretAssetId,
    /// Its name, unique in its scope.
    pub name: CredentialAssetName,
    /// For people.
    pub description: Option<String>,
    /// Whose it is, and who made and changed it.
    pub origin: AssetOrigin,
    /// What it says of workloads.
    pub spec: SecretAssetSpec,
    /// The name of the credential, which is that of its Secrets; `None` when the credential is gone.
    pub credential_name: Option<CredentialAssetName>,
}

/// A secret asset to make.
#[derive(Debug, Clone)]
pub struct NewSecretAsset {
    /// Its id.
    pub id: SecretAssetId,
    /// Its name.
    pub name: CredentialAssetName,
    /// For people.
    pub description: Option<String>,
    /// Whose it is.
    pub scope: Scope,
    /// What it says of workloads.
    pub spec: SecretAssetSpec,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What is to change of one.
#[derive(Debug, Clone)]
pub struct ChangeSecretAsset {
    /// Its name from then on.
    pub name: CredentialAssetName,
    /// Another description; empty removes it.
    pub description: Option<String>,
    /// Something else that it says of workloads, all of it.
    pub spec: Option<SecretAssetSpec>,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What of the secret assets is listed.
#[derive(Debug, Clone, Default)]
pub struct SecretAssetFilter {
    /// One of these; `None` for all.
    pub ids: Option<Vec<SecretAssetId>>,
    /// Of this name, at this scope.
    pub asset: AssetFilter,
    /// By which a project mounts this Secret.
    pub mounting: Option<ProjectSecret>,
}

/// A Secret in a project's namespace. Of the credentials with its name the narrowest is meant, of the project before its department's
/// before the cluster's before the account's: the one that is copied there. The secret assets by which it is mounted are those of that
/// credential that are for the project: its own, its department's, its cluster's and the account's.
#[derive(Debug, Clone)]
pub struct ProjectSecret {
    /// Its name.
    pub name: CredentialAssetName,
    /// The project.
    pub project: ProjectId,
    /// Its department.
    pub department: DepartmentId,
    /// Its cluster.
    pub cluster: ClusterId,
}

/// Repository of secret assets. Every `granted` is for `secret-volume-assets` at the asset's scope.
#[async_trait]
pub trait SecretAssets {
    /// Those that may be seen and fit, by name.
    async fn secret_assets(
        &self,
        visible: &Visible,
        filter: &SecretAssetFilter,
    ) -> Result<Vec<SecretAssetRow>, StoreError>;

    /// One. `granted`: read.
    async fn secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
    ) -> Result<Option<SecretAssetRow>, StoreError>;

    /// Keeps one. `granted`: create. Whether the credential may be named is the caller's to know.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that the scope has, [`StoreError::AssetsFull`], [`StoreError::NotFound`] for a scope or
    /// credential that is not there.
    async fn create_secret_asset(
        &self,
        granted: &Granted,
        new: NewSecretAsset,
        entry: AuditEntry,
    ) -> Result<Committed<SecretAssetRow>, StoreError>;

    /// Changes one. `granted`: update.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the asset, or for another credential that is not there; [`StoreError::Conflict`] for a name
    /// that the scope has.
    async fn update_secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
        change: ChangeSecretAsset,
        entry: AuditEntry,
    ) -> Result<Committed<SecretAssetRow>, StoreError>;

    /// Removes one; the credential stays. `granted`: delete.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn delete_secret_asset(
        &self,
        granted: &Granted,
        id: SecretAssetId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
