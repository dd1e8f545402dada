//! Access keys (control-plane 1.7 and 4.2); older name: user applications. The credentials of the kind `access-key`, which the control
//! plane keeps for workloads, are something else.

use reeve_authz::{Action, Entity};
use reeve_types::{AccessKeyId, AccessKeyName, Email, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::operation::Access::Authenticated;
use crate::operation::{QueryParameter, Recorded, delete, get, may, operations, post};
use crate::revealed_secret::RevealedSecret;
use crate::service_account::NewSecret;

const FILTERS: &[QueryParameter] = &[
    QueryParameter {
        name: "clientId",
        values: &[],
        about: "Only the key with this client id.",
    },
    QueryParameter {
        name: "createdBy",
        values: &[],
        about: "Only the keys of the user with this email.",
    },
    QueryParameter::OFFSET,
    QueryParameter::LIMIT,
];

operations! {
    /// Operations on access keys.
    OPERATIONS: AccessKeyOperation as AccessKey, "Access keys";
    /// List the caller's access keys.
    GetAccessKeys = get("get_access_keys", "/api/v1/access-keys", Authenticated)
        .asks(&[]).answers::<AccessKeys>(200);
    /// Create an access key: a program that shows it acts as the caller.
    CreateAccessKey = post("create_access_key1", "/api/v1/access-keys", Authenticated)
        .takes::<CreateUserAccessKey>().answers::<CreatedAccessKey>(201).also(&[409])
        .does_own(Recorded::Create, Entity::AccessKeys);
    /// Get an access key of the caller's.
    GetAccessKey = get("get_access_key_by_id1", "/api/v1/access-keys/{accessKeyId}", Authenticated)
        .answers::<AccessKey>(200);
    /// Give an access key of the caller's a new secret; the old one's tokens end.
    RegenerateAccessKeySecret = post("regenerate_access_key_secret", "/api/v1/access-keys/{accessKeyId}/secret", Authenticated)
        .answers::<NewSecret>(200).does_own(Recorded::Update, Entity::AccessKeys);
    /// Delete an access key of the caller's; its tokens end.
    DeleteAccessKey = delete("delete_access_key_by_id", "/api/v1/access-keys/{accessKeyId}", Authenticated)
        .answers_nothing(204).does_own(Recorded::Delete, Entity::AccessKeys);
    /// List everybody's access keys.
    GetOwnedAccessKeys = get("get_access_keys_administration", "/api/v1/administration/access-keys", may(Action::Read, Entity::AccessKeys))
        .asks(FILTERS).answers::<OwnedAccessKeys>(200);
    /// Delete anybody's access key; its tokens end.
    DeleteOwnedAccessKey = delete("delete_access_key_by_id_administration", "/api/v1/administration/access-keys/{accessKeyId}", may(Action::Delete, Entity::AccessKeys))
        .answers_nothing(204);
}

operations! {
    /// The same by their older name.
    USER_APPLICATION_OPERATIONS: UserApplicationOperation as UserApplication, "User applications";
    /// Deprecated: list the caller's access keys.
    GetUserApplications = get("get_user_applications", "/api/v1/user-applications", Authenticated)
        .asks(&[]).answers::<Vec<AccessKey>>(200);
    /// Deprecated: create an access key.
    CreateUserApplication = post("create_user_application", "/api/v1/user-applications", Authenticated)
        .takes::<CreateUserAccessKey>().answers::<CreatedUserApplication>(201).also(&[409])
        .does_own(Recorded::Create, Entity::AccessKeys);
    /// Deprecated: get an access key of the caller's.
    GetUserApplication = get("get_user_application_by_id", "/api/v1/user-applications/{appId}", Authenticated)
        .answers::<AccessKey>(200);
    /// Deprecated: give an access key of the caller's a new secret; the old one's tokens end.
    RegenerateUserApplicationSecret = post("regenerate_user_application_secret", "/api/v1/user-applications/{appId}/secret", Authenticated)
        .answers::<NewSecret>(200).does_own(Recorded::Update, Entity::AccessKeys);
    /// Deprecated: delete an access key of the caller's; its tokens end.
    DeleteUserApplication = delete("delete_user_application_by_id", "/api/v1/user-applications/{appId}", Authenticated)
        .answers_nothing(204).does_own(Recorded::Delete, Entity::AccessKeys);
    /// Deprecated: list everybody's access keys.
    GetOwnedUserApplications = get("get_user_applications_administration", "/api/v1/administration/user-applications", may(Action::Read, Entity::AccessKeys))
        .asks(FILTERS).answers::<Vec<OwnedAccessKey>>(200);
    /// Deprecated: delete anybody's access key; its tokens end.
    DeleteOwnedUserApplication = delete("delete_user_application_by_id_administration", "/api/v1/administration/user-applications/{appId}", may(Action::Delete, Entity::AccessKeys))
        .answers_nothing(204);
}

/// `POST /api/v1/access-keys`, and `POST /api/v1/user-applications`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "notebook"}))]
pub struct CreateUserAccessKey {
    /// Its name, unique among the caller's.
    pub name: AccessKeyName,
}

impl TypedBody for CreateUserAccessKey {}

/// An access key. Its secret is never readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// A UUID. It never changes and is given to nothing else.
    pub id: AccessKeyId,
    /// Its name, unique among its owner's.
    pub name: AccessKeyName,
    /// What it signs in with.
    pub client_id: String,
    /// When it was made. Never null.
    pub created_at: Option<Timestamp>,
    /// When it last signed in; null before the first time.
    pub last_login: Option<Timestamp>,
}

/// The caller's access keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeys {
    /// All of them, by name; at most 20.
    pub access_keys: Vec<AccessKey>,
}

/// An access key of anybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnedAccessKey {
    /// A UUID. It never changes and is given to nothing else.
    pub id: AccessKeyId,
    /// Its name, unique among its owner's.
    pub name: AccessKeyName,
    /// What it signs in with.
    pub client_id: String,
    /// The email of its owner, who made it and as whom it acts.
    pub created_by: Email,
    /// When it was made. Never null.
    pub created_at: Option<Timestamp>,
    /// When it last signed in; null before the first time.
    pub last_login: Option<Timestamp>,
}

/// Everybody's access keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnedAccessKeys {
    /// Those that were asked for, by owner and name.
    pub access_keys: Vec<OwnedAccessKey>,
}

/// The 201 of an access key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedAccessKey {
    /// A UUID. It never changes and is given to nothing else.
    pub id: AccessKeyId,
    /// What it signs in with.
    pub client_id: String,
    /// Its name, unique among its owner's.
    pub name: AccessKeyName,
    /// The secret; never shown again.
    pub client_secret: RevealedSecret,
    /// When it was made. Never null.
    pub created_at: Option<Timestamp>,
}

/// The 201 of an access key by its older name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedUserApplication {
    /// A UUID. It never changes and is given to nothing else.
    pub id: AccessKeyId,
    /// What it signs in with.
    pub client_id: String,
    /// Its name, unique among its owner's.
    pub name: AccessKeyName,
    /// The secret; never shown again.
    pub secret: RevealedSecret,
    /// When it was made. Never null.
    pub created_at: Option<Timestamp>,
}
