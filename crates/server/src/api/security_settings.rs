//! Settings of signing in with a browser (control-plane 4.2, tag Settings): only those that the pages go by.

pub mod get;
pub mod list;
pub mod set;

use std::str::FromStr;
use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::setting::{
    AutoRedirectSso, DeviceAuthorization, LogoutRedirectUri, SecuritySettingOperation, SecuritySettings,
};
use reeve_store::SecuritySettingsRow;
use reeve_types::IdpAlias;

use crate::app::App;
use crate::error::{ApiError, Refusal};
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: SecuritySettingOperation) -> MethodRouter<Arc<App>> {
    use SecuritySettingOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetSecuritySettings => to(row, list::handle),
        Op::GetSecuritySetting => to(row, get::handle),
        Op::SetSecuritySetting => to(row, set::handle),
    }
}

/// Which setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    AutoRedirectSso,
    LogoutRedirectUri,
    DeviceAuthorization,
}

impl Key {
    const ALL: [Self; 3] = [
        Self::AutoRedirectSso,
        Self::LogoutRedirectUri,
        Self::DeviceAuthorization,
    ];

    /// As in addresses: of [`reeve_api::setting::SECURITY_SETTING_KEYS`].
    const fn name(self) -> &'static str {
        match self {
            Self::AutoRedirectSso => "autoRedirectSSO",
            Self::LogoutRedirectUri => "logoutRedirectUri",
            Self::DeviceAuthorization => "deviceAuthorization",
        }
    }
}

/// There is no such setting.
#[derive(Debug)]
struct UnknownKey;

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        Self::ALL
            .into_iter()
            .find(|key| key.name() == text)
            .ok_or(UnknownKey)
    }
}

/// Why a setting is not set: 400.
#[derive(Debug, thiserror::Error)]
enum SettingRefusal {
    /// A field of another setting.
    #[error("`{field}` is not a field of the setting `{}`", .key.name())]
    NotOfIt { field: &'static str, key: Key },
    /// What is to be is not said.
    #[error("`enabled` is missing: true or false")]
    NotSaid,
    /// Nobody can be sent anywhere.
    #[error("`idpAlias` is missing: to which identity provider people are sent")]
    NoAlias,
    /// A provider that is not set up.
    #[error("`idpAlias`: there is no identity provider `{0}`")]
    NoProvider(IdpAlias),
    /// What a browser must not be sent to.
    #[error(
        "`uri`: an address like `https://intranet.example/` is needed, without a user; or nothing, for the page that says so"
    )]
    Address,
}

impl Refusal for SettingRefusal {}

/// All of them as they are shown.
fn to_wire(row: SecuritySettingsRow) -> SecuritySettings {
    SecuritySettings {
        auto_redirect_sso: AutoRedirectSso {
            enabled: row.auto_redirect.enabled,
            idp_alias: row.auto_redirect.idp_alias,
        },
        logout_redirect_uri: LogoutRedirectUri {
            uri: row.logout_redirect_uri.unwrap_or_default(),
        },
        device_authorization: DeviceAuthorization {
            enabled: row.device_authorization,
        },
    }
}

impl App {
    /// The settings that the pages go by, read at each use: what one process changes, the others use at once.
    pub(crate) async fn security_settings(&self) -> Result<SecuritySettingsRow, ApiError> {
        let granted = crate::audit::session_record();
        Ok(self.store.security_settings(&granted).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_document() {
        assert_eq!(Key::ALL.map(Key::name), reeve_api::setting::SECURITY_SETTING_KEYS);
    }
}
