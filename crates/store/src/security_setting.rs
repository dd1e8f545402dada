//! Settings of signing in with a browser.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::IdpAlias;
use serde::{Deserialize, Serialize};

use crate::{AuditEntry, Committed, StoreError};

/// Whether the sign-in page sends everybody to one identity provider at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutoRedirect {
    /// Whether it does.
    pub enabled: bool,
    /// To which one. It may be one that is there no more.
    pub idp_alias: Option<IdpAlias>,
}

/// All of them, as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecuritySettingsRow {
    /// Where the sign-in page sends to.
    pub auto_redirect: AutoRedirect,
    /// Where signing out ends; `None` for our own page.
    pub logout_redirect_uri: Option<String>,
    /// Whether a device may ask to be signed in by a person elsewhere (RFC 8628): off until somebody sets it.
    pub device_authorization: bool,
}

/// One of them, to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetSecuritySetting {
    /// [`SecuritySettingsRow::auto_redirect`].
    AutoRedirect(AutoRedirect),
    /// [`SecuritySettingsRow::logout_redirect_uri`].
    LogoutRedirectUri(Option<String>),
    /// [`SecuritySettingsRow::device_authorization`].
    DeviceAuthorization(bool),
}

/// Repository of the settings of signing in.
#[async_trait]
pub trait SecuritySettings {
    /// All of them. `granted`: read of security-settings at account scope, or the bootstrap exception for session records: whoever signs
    /// in or out goes by them.
    async fn security_settings(&self, granted: &Granted) -> Result<SecuritySettingsRow, StoreError>;

    /// Sets one. The event says before and after. `granted`: update of security-settings at account scope.
    async fn set_security_setting(
        &self,
        granted: &Granted,
        new: SetSecuritySetting,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
