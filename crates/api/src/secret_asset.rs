//! Secret assets (control-plane 4.4): a credential as a source of data, with the path where workloads are to find its Secret. They
//! hold no values: those are the credential's.

use reeve_authz::{Action, Entity};
use reeve_types::{CredentialAssetId, CredentialAssetName, SecretAssetId};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::body::{InvalidBody, TypedBody, mounting};
use crate::credential::{
    AssetOrigin, AssetStatus, CLUSTER_ID, CreateAssetMeta, DEPARTMENT_ID, FLAG, NAME, PROJECT_ID, SCOPE,
    described,
};
use crate::error::Accepted;
use crate::operation::{QueryParameter, delete, get, may, operations, post, put};

/// Where they are.
pub const SECRET_ASSETS: &str = "/api/v1/asset/datasource/secrets";

const USAGE_INFO: QueryParameter = QueryParameter::word(
    "usageInfo",
    FLAG,
    "Is taken and does nothing: what uses a secret asset is not known.",
);
const STATUS_INFO: QueryParameter =
    QueryParameter::word("statusInfo", FLAG, "`false` leaves out what is in the way of it.");
const COMPLY_TO_PROJECT: QueryParameter = QueryParameter::free(
    "complyToProject",
    "Is taken and does nothing: no workload policy speaks of secret assets.",
);
const COMPLY_TO_WORKLOAD: QueryParameter = QueryParameter::word(
    "complyToWorkloadType",
    &["Workspace", "Training", "Distributed", "Inference"],
    "As `complyToProject`.",
);
const COMPLY_TO_REPLICA: QueryParameter = QueryParameter::word(
    "complyToReplicaType",
    &["Worker", "Master"],
    "As `complyToProject`.",
);
/// What cuts a list.
const FILTERS: &[QueryParameter] = &[
    NAME,
    SCOPE,
    PROJECT_ID,
    DEPARTMENT_ID,
    CLUSTER_ID,
    QueryParameter::free(
        "assetIds",
        "Only those of these ids, separated by commas; at most 200.",
    ),
    USAGE_INFO,
    STATUS_INFO,
    COMPLY_TO_PROJECT,
    COMPLY_TO_WORKLOAD,
    COMPLY_TO_REPLICA,
    QueryParameter::OFFSET,
    QueryParameter::LIMIT,
];
/// What the answer for one takes.
const ONE: &[QueryParameter] = &[
    USAGE_INFO,
    STATUS_INFO,
    COMPLY_TO_PROJECT,
    COMPLY_TO_WORKLOAD,
    COMPLY_TO_REPLICA,
];

operations! {
    /// Operations on secret assets.
    OPERATIONS: SecretAssetOperation as SecretAsset, "Secret";
    /// List secret assets.
    ListSecretAssets = get("list_secret_assets", "/api/v1/asset/datasource/secrets", may(Action::Read, Entity::SecretVolumeAssets))
        .asks(FILTERS).answers::<SecretAssets>(200);
    /// Make a source of data of a credential, by which trainings mount its Secret.
    CreateSecretAsset = post("create_secret_asset", "/api/v1/asset/datasource/secrets", may(Action::Create, Entity::SecretVolumeAssets))
        .takes::<CreateSecretAsset>().answers::<SecretAsset>(202).also(&[404, 409]);
    /// Get a secret asset.
    GetSecretAsset = get("get_secret_asset_by_id", "/api/v1/asset/datasource/secrets/{AssetId}", may(Action::Read, Entity::SecretVolumeAssets))
        .asks(ONE).answers::<SecretAsset>(200);
    /// Change the name, the description or what a secret asset says of workloads. What was submitted before keeps what it has.
    UpdateSecretAsset = put("update_Secret_asset_by_id", "/api/v1/asset/datasource/secrets/{AssetId}", may(Action::Update, Entity::SecretVolumeAssets))
        .takes::<UpdateSecretAsset>().answers::<SecretAsset>(202).also(&[409]);
    /// Delete a secret asset; the credential stays.
    DeleteSecretAsset = delete("delete_secret_asset_by_id", "/api/v1/asset/datasource/secrets/{AssetId}", may(Action::Delete, Entity::SecretVolumeAssets))
        .answers::<Accepted>(202);
}

/// `POST /api/v1/asset/datasource/secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"meta": {"name": "keys", "scope": "project", "projectId": 33},
    "spec": {"credentialAssetId": crate::EXAMPLE_UUID, "mountPath": "/etc/keys", "defaultMode": "0444"}}))]
pub struct CreateSecretAsset {
    /// Name and scope.
    pub meta: CreateAssetMeta,
    /// Which credential, and where workloads find it.
    pub spec: SetSecretAsset,
}

impl TypedBody for CreateSecretAsset {
    fn check(&self) -> Result<(), InvalidBody> {
        self.meta.scope().map(drop)
    }
}

/// `PUT /api/v1/asset/datasource/secrets/{AssetId}`. The reference demands `spec` without saying what is in it: here it is that of a
/// creation, as a whole, or absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"meta": {"name": "keys", "description": "of the build"},
    "spec": {"credentialAssetId": crate::EXAMPLE_UUID, "mountPath": "/etc/keys"}}))]
pub struct UpdateSecretAsset {
    /// Name and description.
    pub meta: UpdateSecretAssetMeta,
    /// Which credential, and where workloads find it; absent leaves all of it.
    #[serde(default)]
    pub spec: Option<SetSecretAsset>,
}

impl TypedBody for UpdateSecretAsset {}

/// What of a secret asset's meta can change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSecretAssetMeta {
    /// Its name from then on, unique in its scope.
    pub name: CredentialAssetName,
    /// For people; at most 250 bytes. Empty removes it, absent leaves it.
    #[serde(default, deserialize_with = "described")]
    #[schemars(length(max = 250))]
    pub description: Option<String>,
}

/// Which credential, and where workloads find it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetSecretAsset {
    /// The credential, of any kind, that the caller may read: of the asset's scope or a wider one, so that its Secret is in every
    /// project that the asset is for.
    pub credential_asset_id: CredentialAssetId,
    /// Where a container finds the Secret's keys as files: a path from the root, at most 4,096 bytes, without `:` and `..`. It is that of a
    /// training which mounts the Secret and names no path.
    #[serde(default, deserialize_with = "mount_path")]
    #[schemars(length(min = 2, max = 4096), regex(pattern = "^/"))]
    pub mount_path: Option<String>,
    /// The mode of these files, `0` and three octal digits: that of a training which mounts the Secret and names no mode.
    #[serde(default, deserialize_with = "mode")]
    #[schemars(regex(pattern = "^0[0-7]{3}$"))]
    pub default_mode: Option<String>,
}

fn mount_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let path = mounting::mount_path(deserializer)?;
    Ok(path.map(|path| path.to_string()))
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let mode = mounting::default_mode(deserializer)?;
    Ok(mode.map(|mode| mode.to_string()))
}

/// A secret asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretAsset {
    /// What is the same for every asset.
    pub meta: SecretAssetMeta,
    /// Which credential, and where workloads find it.
    pub spec: SecretAssetSpec,
    /// What is in the way of it; absent when nothing is, or when `statusInfo` is `false`. How far the Secret has come in clusters is the
    /// credential's to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AssetStatus>,
}

/// What is the same for every asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretAssetMeta {
    /// A UUID. It never changes and is given to nothing else.
    pub id: SecretAssetId,
    /// Its name, unique in its scope.
    pub name: CredentialAssetName,
    /// For people; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The kind of asset: always `secret-volume`.
    pub kind: SecretAssetKind,
    /// Whose it is, and who made and changed it.
    #[serde(flatten)]
    pub origin: AssetOrigin,
}

/// The reference's word for what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretAssetKind {
    /// A Secret as files.
    SecretVolume,
}

/// Which credential, and where workloads find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretAssetSpec {
    /// The credential. It may be gone: then there is a `status`.
    pub credential_asset_id: CredentialAssetId,
    /// Ours: the name of the Secret in the namespaces of projects, which is the credential's; absent when the credential is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<CredentialAssetName>,
    /// Where a container is to find it; absent when that was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// The mode of the files; absent when that was not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<String>,
}

/// Secret assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretAssets {
    /// All that the caller may see.
    pub entries: Vec<SecretAsset>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Body as _;

    fn parse(spec: Value) -> Result<SetSecretAsset, String> {
        let body = json!({"meta": {"name": "keys", "scope": "tenant"}, "spec": spec});
        let parsed = CreateSecretAsset::parse(body.to_string().as_bytes());
        parsed.map(|body| body.spec).map_err(|error| error.to_string())
    }

    /// Planted faults: a colon, which a kubelet refuses; a mode of five digits, which would be a set-uid bit.
    #[test]
    fn path_and_mode_are_as_kubernetes_takes_them() {
        let id = crate::EXAMPLE_UUID;
        let taken =
            parse(json!({"credentialAssetId": id, "mountPath": "/etc/keys", "defaultMode": "0440"})).unwrap();
        assert_eq!(taken.mount_path.as_deref(), Some("/etc/keys"));
        assert_eq!(taken.default_mode.as_deref(), Some("0440"));
        let bare = parse(json!({"credentialAssetId": id, "mountPath": null, "defaultMode": ""})).unwrap();
        assert_eq!((bare.mount_path, bare.default_mode), (None, None));
        for path in ["keys", "/", "//", "/a:b", "/a/../b", "/a\n", "../a"] {
            let refused = parse(json!({"credentialAssetId": id, "mountPath": path})).unwrap_err();
            assert!(
                refused.starts_with("`spec.mountPath`: a path"),
                "{path}: {refused}"
            );
        }
        for mode in ["440", "04400", "1440", "0448", "rw-r"] {
            let refused = parse(json!({"credentialAssetId": id, "defaultMode": mode})).unwrap_err();
            assert!(refused.starts_with("`spec.defaultMode`"), "{mode}: {refused}");
        }
        assert_eq!(
            parse(json!({"mountPath": "/keys"})).unwrap_err(),
            "`spec.credentialAssetId` is missing"
        );
        let refused = parse(json!({"credentialAssetId": id, "key": "value"})).unwrap_err();
        assert_eq!(refused, "`spec.key` is not a field of this request");
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let parse = |body: Value| UpdateSecretAsset::parse(body.to_string().as_bytes());
        let changed = parse(json!({"meta": {"name": "keys"}})).unwrap();
        assert_eq!((changed.meta.description, changed.spec), (None, None));
        let changed = parse(json!({"meta": {"name": "keys", "description": ""}})).unwrap();
        assert_eq!(changed.meta.description.as_deref(), Some(""));
        assert_eq!(
            parse(json!({"meta": {}})).unwrap_err().to_string(),
            "`meta.name` is missing"
        );
    }
}
