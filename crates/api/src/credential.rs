//! Credentials that the control plane keeps (control-plane 3.7 and 4.4), five kinds with the same five operations each.
//!
//! What is secret in one goes in and never out: an answer has the fields by which somebody knows it again (address, user, id of
//! a key, names of pairs) and the number of the key that it is sealed with.

mod meta;
mod operations;
mod spec;

use reeve_types::{
    ClusterId, CredentialAssetId, CredentialAssetKind, CredentialAssetName, DepartmentId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use meta::described;
pub use meta::{CreateAssetMeta, UpdateAssetMeta};
pub(crate) use operations::{CLUSTER_ID, DEPARTMENT_ID, FLAG, NAME, PROJECT_ID, SCOPE};
pub use operations::{CredentialOperation, OPERATIONS};
pub use spec::{
    AccessKeyValues, CreateAccessKey, CreateDockerRegistry, CreateGenericSecret, CreateNgcApiKey,
    CreatePassword, CredentialBody, DockerRegistryValues, GenericSecretValues, KeyValuePair, NgcApiKeyValues,
    PasswordValues, UpdateAccessKey, UpdateDockerRegistry, UpdateGenericSecret, UpdateNgcApiKey,
    UpdatePassword,
};

use crate::access_rule::ScopeType;

/// A credential. What is secret in it is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Credential")]
pub struct CredentialAsset {
    /// What is the same for every kind.
    pub meta: AssetMeta,
    /// What is of its kind.
    pub spec: CredentialSpec,
    /// How far it has come in the clusters that are to have it; absent when none is, or when `statusInfo` is `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AssetStatus>,
    /// What it is in clusters.
    pub cluster_info: AssetClusterInfo,
}

/// What is the same for every kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetMeta {
    /// A UUID. It never changes and is given to nothing else.
    pub id: CredentialAssetId,
    /// Its name, unique in its scope.
    pub name: CredentialAssetName,
    /// For people; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of credential it is, which says what its `spec` holds.
    pub kind: CredentialAssetKind,
    /// Whose it is, and who made and changed it.
    #[serde(flatten)]
    pub origin: AssetOrigin,
}

/// Whose an asset is, and who made and changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetOrigin {
    /// Whose it is: it is for everything below that.
    pub scope: ScopeType,
    /// The cluster of the scope; absent for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
    /// The department of the scope; absent for wider ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    /// The project of the scope, a number here; absent for wider ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<u32>,
    /// The project's name; absent for wider scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// Always 1: an installation is one account.
    pub tenant_id: i32,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// How often it was changed.
    pub update_count: i64,
    /// Always `false`: nothing deletes it by itself.
    pub auto_delete: bool,
    /// Always `false`: there are no private ones.
    pub private: bool,
}

/// What of a credential is shown, by its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialSpec {
    /// The number of the key that the values are sealed with.
    #[serde(default)]
    pub key_id: i32,
    /// Of a registry: its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a registry or a password: the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of an access key: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Of a generic secret: the keys, without their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_value_pairs: Option<Vec<ShownKey>>,
}

/// A key of a generic secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownKey {
    /// The key, as in the Secret that comes of it.
    pub key: String,
}

/// How far a credential has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetStatus {
    /// In a few words.
    pub status: AssetPhase,
    /// Where it has not come.
    pub issues: Vec<AssetIssue>,
    /// Where it is and why not elsewhere, for people.
    pub message: String,
}

/// The reference's words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AssetPhase {
    /// Not yet copied into every namespace that it is for.
    Creating,
    /// Something is in the way.
    #[serde(rename = "Issues found")]
    IssuesFound,
    /// Copied into the namespace of every project that it is for.
    #[serde(rename = "No issues found")]
    NoIssuesFound,
}

/// A place where a credential has not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssetIssue {
    /// The cluster's id.
    pub scope_id: String,
    /// What `scopeId` names: always `cluster`.
    pub scope_type: ScopeType,
    /// What is wrong.
    pub issue: AssetIssueKind,
}

/// The reference's words for what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AssetIssueKind {
    /// A copy could not be made, or something else has its name.
    ReplicationError,
    /// The cluster has said nothing yet.
    NotCreated,
}

/// What a credential is in clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetClusterInfo {
    /// The Secrets in the namespaces of projects.
    pub resources: Vec<AssetResource>,
}

/// A Secret in the namespaces of projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetResource {
    /// Its name in Kubernetes.
    pub name: String,
}

/// Credentials of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Credentials")]
pub struct CredentialAssets {
    /// All that the caller may see.
    pub entries: Vec<CredentialAsset>,
}

/// Credentials of every kind: the reference puts what is of a kind under that kind's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllCredentials {
    /// All that the caller may see.
    pub entries: Vec<AnyCredential>,
}

/// A credential among those of every kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnyCredential {
    /// What is the same for every kind.
    pub meta: AssetMeta,
    /// What is of its kind, under the kind's name.
    pub spec: std::collections::BTreeMap<String, CredentialSpec>,
    /// As in the answer for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AssetStatus>,
    /// As in the answer for one.
    pub cluster_info: AssetClusterInfo,
}
