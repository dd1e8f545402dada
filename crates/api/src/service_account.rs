//! Service accounts (control-plane 1.7 and 4.2), and the same by their older name, applications.

use reeve_authz::{Action, Entity};
use reeve_types::list::SERVICE_ACCOUNTS;
use reeve_types::{ServiceAccountId, ServiceAccountName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::operation::{delete, get, may, operations, patch, post};
use crate::revealed_secret::RevealedSecret;

operations! {
    /// Operations on service accounts.
    OPERATIONS: ServiceAccountOperation as ServiceAccount, "Service accounts";
    /// List service accounts, 500 at a time unless fewer are asked for.
    GetServiceAccounts = get("get_service_accounts", "/api/v1/service-accounts", may(Action::Read, Entity::ServiceAccount))
        .lists(&SERVICE_ACCOUNTS).answers::<Vec<ServiceAccount>>(200);
    /// Create a service account.
    CreateServiceAccount = post("create_service_account", "/api/v1/service-accounts", may(Action::Create, Entity::ServiceAccount))
        .takes::<CreateServiceAccount>().answers::<CreatedServiceAccount>(201).also(&[409]);
    /// Get a service account.
    GetServiceAccount = get("get_service_account_by_id", "/api/v1/service-accounts/{serviceAccountId}", may(Action::Read, Entity::ServiceAccount))
        .answers::<ServiceAccount>(200);
    /// Enable or disable a service account; disabled, its tokens and rules are out of effect.
    UpdateServiceAccount = patch("update_service_account_by_id", "/api/v1/service-accounts/{serviceAccountId}", may(Action::Update, Entity::ServiceAccount))
        .takes::<UpdateServiceAccount>().answers_nothing(200);
    /// Give a service account a new secret; its tokens end.
    RegenerateServiceAccountSecret = post("regenerate_service_account_secret", "/api/v1/service-accounts/{serviceAccountId}/secret", may(Action::Update, Entity::ServiceAccount))
        .answers::<NewSecret>(200);
    /// Delete a service account.
    DeleteServiceAccount = delete("delete_service_account_by_id", "/api/v1/service-accounts/{serviceAccountId}", may(Action::Delete, Entity::ServiceAccount))
        .answers_nothing(204);
}

operations! {
    /// The same by their older name. Their paths say what the id in them is; the reference calls it `appId` there, as that of an access key.
    APPLICATION_OPERATIONS: ApplicationOperation as Application, "Applications";
    /// Deprecated: list service accounts, 500 at a time unless fewer are asked for.
    GetApplications = get("get_applications", "/api/v1/apps", may(Action::Read, Entity::ServiceAccount))
        .lists(&SERVICE_ACCOUNTS).answers::<Vec<ServiceAccount>>(200);
    /// Deprecated: create a service account.
    CreateApplication = post("create_application", "/api/v1/apps", may(Action::Create, Entity::ServiceAccount))
        .takes::<CreateServiceAccount>().answers::<CreatedApplication>(201).also(&[409]);
    /// Deprecated: get a service account.
    GetApplication = get("get_application_by_id", "/api/v1/apps/{serviceAccountId}", may(Action::Read, Entity::ServiceAccount))
        .answers::<ServiceAccount>(200);
    /// Deprecated: enable or disable a service account; disabled, its tokens and rules are out of effect.
    UpdateApplication = patch("update_application_by_id", "/api/v1/apps/{serviceAccountId}", may(Action::Update, Entity::ServiceAccount))
        .takes::<UpdateServiceAccount>().answers_nothing(200);
    /// Deprecated: give a service account a new secret; its tokens end.
    RegenerateApplicationSecret = post("regenerate_application_secret", "/api/v1/apps/{serviceAccountId}/secret", may(Action::Update, Entity::ServiceAccount))
        .answers::<NewApplicationSecret>(200);
    /// Deprecated: delete a service account.
    DeleteApplication = delete("delete_application_by_id", "/api/v1/apps/{serviceAccountId}", may(Action::Delete, Entity::ServiceAccount))
        .answers_nothing(204);
}

/// `POST /api/v1/service-accounts`, and `POST /api/v1/apps`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "ci"}))]
pub struct CreateServiceAccount {
    /// Its name, unique; also its client id.
    pub name: ServiceAccountName,
}

impl TypedBody for CreateServiceAccount {}

/// `PATCH /api/v1/service-accounts/{serviceAccountId}`, and `PATCH /api/v1/apps/{serviceAccountId}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"enabled": false}))]
pub struct UpdateServiceAccount {
    /// Whether it may sign in and its rules are in effect.
    pub enabled: bool,
}

impl TypedBody for UpdateServiceAccount {}

/// A service account. Its secret is never readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAccount {
    /// A UUID. It never changes and is given to nothing else.
    pub id: ServiceAccountId,
    /// Its name, unique in the account.
    pub name: ServiceAccountName,
    /// What it signs in with: equals `name`.
    pub client_id: String,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// When it was made. Never null.
    pub created_at: Option<Timestamp>,
    /// When it was last enabled, disabled or given a secret.
    pub updated_at: Option<Timestamp>,
    /// Whether it may sign in and its rules are in effect.
    pub enabled: bool,
    /// Always `1`: an installation is one account.
    pub tenant_id: String,
    /// When it last signed in; null before the first time.
    pub last_login: Option<Timestamp>,
}

/// The 201 of a creation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedServiceAccount {
    /// A UUID. It never changes and is given to nothing else.
    pub id: ServiceAccountId,
    /// Its name, unique in the account.
    pub name: ServiceAccountName,
    /// What it signs in with: equals `name`.
    pub client_id: String,
    /// The secret; never shown again.
    pub client_secret: RevealedSecret,
}

/// The 200 of a new secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewSecret {
    /// The secret; never shown again.
    pub client_secret: RevealedSecret,
}

/// The 201 of a creation by the older name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApplication {
    /// A UUID. It never changes and is given to nothing else.
    pub id: ServiceAccountId,
    /// Its name, unique in the account.
    pub name: ServiceAccountName,
    /// What it signs in with: equals `name`.
    pub client_id: String,
    /// The secret; never shown again.
    pub secret: RevealedSecret,
}

/// The 200 of a new secret by the older name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewApplicationSecret {
    /// The secret; never shown again.
    pub secret: RevealedSecret,
}
