//! Settings of signing in, and of the account (control-plane 3.5, and 4.2: tags Settings and Tenant). Only those are there that do
//! something, or that say what holds.

use reeve_authz::{Action, Entity};
use reeve_types::IdpAlias;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::TypedBody;
use crate::body::fields::{Unsupported, filled, text};
use crate::operation::{get, may, operations, put};

/// The keys of [`SecuritySettings`].
pub const SECURITY_SETTING_KEYS: [&str; 3] = ["autoRedirectSSO", "logoutRedirectUri", "deviceAuthorization"];
/// The key of the one setting of the account.
pub const DEPARTMENT_USE: &str = "department.use";

operations! {
    /// Operations on the settings of signing in.
    OPERATIONS: SecuritySettingOperation as SecuritySetting, "Settings";
    /// Get the settings of signing in with a browser.
    GetSecuritySettings = get("get_security_settings", "/api/v1/security/settings", may(Action::Read, Entity::SecuritySettings))
        .asks(&[]).answers::<SecuritySettings>(200);
    /// Get a setting of signing in with a browser.
    GetSecuritySetting = get("get_security_setting_by_key", "/api/v1/security/settings/{key}", may(Action::Read, Entity::SecuritySettings))
        .answers::<SecuritySetting>(200);
    /// Set a setting of signing in with a browser, as a whole.
    SetSecuritySetting = put("update_security_setting_by_key", "/api/v1/security/settings/{key}", may(Action::Update, Entity::SecuritySettings))
        .takes::<SetSecuritySetting>().answers_nothing(200);
}

operations! {
    /// Operations on the settings of the account.
    TENANT_OPERATIONS: TenantSettingOperation as TenantSetting, "Tenant";
    /// List the settings of the account.
    GetTenantSettings = get("get_tenant_settings", "/v1/k8s/setting", may(Action::Read, Entity::Settings))
        .asks(&[]).answers::<Vec<TenantSetting>>(200);
    /// Set a setting of the account to what holds: nothing else is possible yet.
    SetTenantSetting = put("update_tenant_setting", "/v1/k8s/setting", may(Action::Update, Entity::Settings))
        .takes::<SetTenantSetting>().answers::<TenantSettingSet>(200).also(&[404]);
    /// Get a setting of the account.
    GetTenantSetting = get("get_tenant_settings_by_key", "/v1/k8s/setting/{settingKey}", may(Action::Read, Entity::Settings))
        .answers::<bool>(200);
}

/// The settings of signing in with a browser: `SettingsGetResponse` of the reference, without the time after which a browser's session
/// that is not used ends, which sessions here do not have; and with whether devices may be signed in (ours).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySettings {
    /// Whether the sign-in page sends everybody to one identity provider at once.
    #[serde(rename = "autoRedirectSSO")]
    pub auto_redirect_sso: AutoRedirectSso,
    /// Where signing out in a browser ends.
    pub logout_redirect_uri: LogoutRedirectUri,
    /// Whether devices may be signed in by a person with a browser elsewhere (ours).
    #[serde(default)]
    pub device_authorization: DeviceAuthorization,
}

/// Whether a program without a browser may show a code, with which a person signs it in in a browser elsewhere (RFC 8628). Ours; off until
/// an administrator turns it on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceAuthorization {
    /// Whether it may.
    pub enabled: bool,
}

/// Whether the sign-in page sends everybody to one identity provider at once. `/sign-in?password` shows the page all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoRedirectSso {
    /// Whether it does, as long as the provider is there.
    pub enabled: bool,
    /// To which one; null where none was chosen.
    pub idp_alias: Option<IdpAlias>,
}

/// Where signing out in a browser ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogoutRedirectUri {
    /// The address; empty for the page that says so.
    pub uri: String,
}

/// One setting of signing in: the fields of its own, and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySetting {
    /// Of `autoRedirectSSO`: whether everybody is sent to one identity provider at once. Of `deviceAuthorization`: whether devices may be
    /// signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Of `autoRedirectSSO`: to which one; absent where none was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idp_alias: Option<IdpAlias>,
    /// Of `logoutRedirectUri`: where signing out ends; empty for the page that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// `PUT /api/v1/security/settings/{key}`: the fields of that setting, all of it; what is left out is off, or given no more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"enabled": true, "idpAlias": "corp"}))]
pub struct SetSecuritySetting {
    /// Of `autoRedirectSSO`: whether the sign-in page sends everybody to one identity provider at once. Of `deviceAuthorization`: whether
    /// devices may be signed in.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Of `autoRedirectSSO`: to which one; needed where `enabled` is true.
    #[serde(default)]
    pub idp_alias: Option<IdpAlias>,
    /// Of `logoutRedirectUri`: where signing out in a browser ends, an address with https of at most 1024 bytes; empty for our own page.
    #[serde(default, deserialize_with = "text::<_, 1024>")]
    #[schemars(length(max = 1024))]
    pub uri: Option<String>,
    #[serde(default)]
    idle_timeout: Unsupported,
}

impl TypedBody for SetSecuritySetting {}

/// A setting of the account: `Setting` of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantSetting {
    /// Always true: what is not used is not listed.
    pub active: bool,
    /// What it is about.
    pub category: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Always `Tenant`: it is the account's.
    pub source: String,
    /// What a console calls it.
    pub label: String,
    /// Always `GA`: nothing is on trial.
    pub stage: String,
    /// The kind of its value: `Boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is asked for by: `department.use`.
    pub key: String,
    /// Its value as text: `true`, since every project is in a department.
    pub value: String,
}

/// `PUT /v1/k8s/setting`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({"key": "department.use", "value": true}))]
pub struct SetTenantSetting {
    /// Which: `department.use`.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub key: String,
    /// What it is to be; of `department.use` only true is possible.
    pub value: bool,
}

impl TypedBody for SetTenantSetting {}

/// The 200 of a setting of the account that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantSettingSet {
    /// What holds now, in a sentence.
    pub msg: String,
}
