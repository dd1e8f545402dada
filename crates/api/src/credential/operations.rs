//! The operations: five kinds with the same five each, and all together.

use reeve_authz::{Action, Entity};

use super::{
    AllCredentials, CreateAccessKey, CreateDockerRegistry, CreateGenericSecret, CreateNgcApiKey,
    CreatePassword, CredentialAsset, CredentialAssets, UpdateAccessKey, UpdateDockerRegistry,
    UpdateGenericSecret, UpdateNgcApiKey, UpdatePassword,
};
use crate::error::Accepted;
use crate::operation::{QueryParameter, delete, get, may, operations, post, put};

pub(crate) const FLAG: &[&str] = &["true", "false"];

/// What cuts a list of assets of any kind.
pub(crate) const NAME: QueryParameter = QueryParameter::free("name", "Only those of this name.");
pub(crate) const SCOPE: QueryParameter = QueryParameter::word(
    "scope",
    &["tenant", "cluster", "department", "project"],
    "Only those of such a scope.",
);
pub(crate) const PROJECT_ID: QueryParameter =
    QueryParameter::free("projectId", "Only those of this project, by number.");
pub(crate) const DEPARTMENT_ID: QueryParameter =
    QueryParameter::free("departmentId", "Only those of this department, by number.");
pub(crate) const CLUSTER_ID: QueryParameter =
    QueryParameter::free("clusterId", "Only those of this cluster.");

/// Whether an answer says how far it has come.
const STATUS_INFO: QueryParameter = QueryParameter::word(
    "statusInfo",
    FLAG,
    "`false` leaves out how far it has come in clusters.",
);
/// Nothing says what uses a credential.
const USAGE_INFO: QueryParameter = QueryParameter::word(
    "usageInfo",
    FLAG,
    "Is taken and does nothing: what uses a credential is not known.",
);
/// What cuts a list.
const FILTERS: &[QueryParameter] = &[
    NAME,
    SCOPE,
    PROJECT_ID,
    DEPARTMENT_ID,
    CLUSTER_ID,
    USAGE_INFO,
    STATUS_INFO,
    QueryParameter::OFFSET,
    QueryParameter::LIMIT,
];
/// What the answer for one takes.
const ONE: &[QueryParameter] = &[USAGE_INFO, STATUS_INFO];

operations! {
    /// Operations on credentials.
    OPERATIONS: CredentialOperation as Credential, "Credentials";
    /// List credentials of every kind.
    ListCredentials = get("list_credentials_assets", "/api/v1/asset/credentials", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<AllCredentials>(200);
    /// List access keys.
    ListAccessKey = get("list_access_keys", "/api/v1/asset/credentials/access-key", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<CredentialAssets>(200);
    /// Keep an access key: values go in, and never out.
    CreateAccessKey = post("create_access_key", "/api/v1/asset/credentials/access-key", may(Action::Create, Entity::Credentials))
        .takes::<CreateAccessKey>().answers::<CredentialAsset>(202).also(&[404, 409]);
    /// Get an access key, without its values.
    GetAccessKey = get("get_access_key_by_id", "/api/v1/asset/credentials/access-key/{AssetId}", may(Action::Read, Entity::Credentials))
        .asks(ONE).answers::<CredentialAsset>(200);
    /// Change the description or the values of an access key.
    UpdateAccessKey = put("update_access_key", "/api/v1/asset/credentials/access-key/{AssetId}", may(Action::Update, Entity::Credentials))
        .takes::<UpdateAccessKey>().answers::<CredentialAsset>(202);
    /// Delete an access key, and its copies in clusters.
    DeleteAccessKey = delete("delete_access_key", "/api/v1/asset/credentials/access-key/{AssetId}", may(Action::Delete, Entity::Credentials))
        .answers::<Accepted>(202);
    /// List users and passwords.
    ListPassword = get("list_passwords", "/api/v1/asset/credentials/password", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<CredentialAssets>(200);
    /// Keep a user and password: values go in, and never out.
    CreatePassword = post("create_password", "/api/v1/asset/credentials/password", may(Action::Create, Entity::Credentials))
        .takes::<CreatePassword>().answers::<CredentialAsset>(202).also(&[404, 409]);
    /// Get a user and password, without its values.
    GetPassword = get("get_password_by_id", "/api/v1/asset/credentials/password/{AssetId}", may(Action::Read, Entity::Credentials))
        .asks(ONE).answers::<CredentialAsset>(200);
    /// Change the description or the values of a user and password.
    UpdatePassword = put("update_password", "/api/v1/asset/credentials/password/{AssetId}", may(Action::Update, Entity::Credentials))
        .takes::<UpdatePassword>().answers::<CredentialAsset>(202);
    /// Delete a user and password, and its copies in clusters.
    DeletePassword = delete("delete_password", "/api/v1/asset/credentials/password/{AssetId}", may(Action::Delete, Entity::Credentials))
        .answers::<Accepted>(202);
    /// List credentials of registries.
    ListDockerRegistry = get("list_docker_registries", "/api/v1/asset/credentials/docker-registry", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<CredentialAssets>(200);
    /// Keep the credential of a registry: values go in, and never out.
    CreateDockerRegistry = post("create_docker_registry", "/api/v1/asset/credentials/docker-registry", may(Action::Create, Entity::Credentials))
        .takes::<CreateDockerRegistry>().answers::<CredentialAsset>(202).also(&[404, 409]);
    /// Get the credential of a registry, without its values.
    GetDockerRegistry = get("get_docker_registry_by_id", "/api/v1/asset/credentials/docker-registry/{AssetId}", may(Action::Read, Entity::Credentials))
        .asks(ONE).answers::<CredentialAsset>(200);
    /// Change the description or the values of the credential of a registry.
    UpdateDockerRegistry = put("update_docker_registry", "/api/v1/asset/credentials/docker-registry/{AssetId}", may(Action::Update, Entity::Credentials))
        .takes::<UpdateDockerRegistry>().answers::<CredentialAsset>(202);
    /// Delete the credential of a registry, and its copies in clusters.
    DeleteDockerRegistry = delete("delete_docker_registry", "/api/v1/asset/credentials/docker-registry/{AssetId}", may(Action::Delete, Entity::Credentials))
        .answers::<Accepted>(202);
    /// List generic secrets.
    ListGenericSecret = get("list_generic_secret", "/api/v1/asset/credentials/generic-secret", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<CredentialAssets>(200);
    /// Keep a generic secret: values go in, and never out.
    CreateGenericSecret = post("create_generic_secret", "/api/v1/asset/credentials/generic-secret", may(Action::Create, Entity::Credentials))
        .takes::<CreateGenericSecret>().answers::<CredentialAsset>(202).also(&[404, 409]);
    /// Get a generic secret, without its values.
    GetGenericSecret = get("get_generic_secret_by_id", "/api/v1/asset/credentials/generic-secret/{AssetId}", may(Action::Read, Entity::Credentials))
        .asks(ONE).answers::<CredentialAsset>(200);
    /// Change the description or the values of a generic secret.
    UpdateGenericSecret = put("update_generic_secret", "/api/v1/asset/credentials/generic-secret/{AssetId}", may(Action::Update, Entity::Credentials))
        .takes::<UpdateGenericSecret>().answers::<CredentialAsset>(202);
    /// Delete a generic secret, and its copies in clusters.
    DeleteGenericSecret = delete("delete_generic_secret", "/api/v1/asset/credentials/generic-secret/{AssetId}", may(Action::Delete, Entity::Credentials))
        .answers_nothing(204);
    /// List keys of the NGC catalogue.
    ListNgcApiKey = get("list_ngc_api_key", "/api/v1/asset/credentials/ngc-api-key", may(Action::Read, Entity::Credentials))
        .asks(FILTERS).answers::<CredentialAssets>(200);
    /// Keep a key of the NGC catalogue: values go in, and never out.
    CreateNgcApiKey = post("create_ngc_api_key", "/api/v1/asset/credentials/ngc-api-key", may(Action::Create, Entity::Credentials))
        .takes::<CreateNgcApiKey>().answers::<CredentialAsset>(202).also(&[404, 409]);
    /// Get a key of the NGC catalogue, without its values.
    GetNgcApiKey = get("get_ngc_api_key_by_id", "/api/v1/asset/credentials/ngc-api-key/{AssetId}", may(Action::Read, Entity::Credentials))
        .asks(ONE).answers::<CredentialAsset>(200);
    /// Change the description or the values of a key of the NGC catalogue.
    UpdateNgcApiKey = put("update_ngc_api_key", "/api/v1/asset/credentials/ngc-api-key/{AssetId}", may(Action::Update, Entity::Credentials))
        .takes::<UpdateNgcApiKey>().answers::<CredentialAsset>(202);
    /// Delete a key of the NGC catalogue, and its copies in clusters.
    DeleteNgcApiKey = delete("delete_ngc_api_key", "/api/v1/asset/credentials/ngc-api-key/{AssetId}", may(Action::Delete, Entity::Credentials))
        .answers_nothing(204);
}
