//! Settings of signing in, in SQL: a row for each that was ever set.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_store::{
    AuditEntry, Committed, SecuritySettings, SecuritySettingsRow, SetSecuritySetting, StoreError, gate,
};
use serde::de::DeserializeOwned;

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, StoreResultExt, Tx, from_json};
use crate::sessions::is_record;

const READ: &str = "read the settings of signing in";
const CHANGE: &str = "change a setting of signing in";

const AUTO_REDIRECT: &str = "autoRedirectSSO";
const LOGOUT_REDIRECT_URI: &str = "logoutRedirectUri";
const DEVICE_AUTHORIZATION: &str = "deviceAuthorization";

/// Whether a permission is for the settings of signing in, identity providers among them.
pub(crate) fn fits(granted: &Granted, action: Action, operation: &'static str) -> Result<(), StoreError> {
    gate::fits(
        granted,
        action,
        Entity::SecuritySettings,
        Scope::Account,
        operation,
    )
}

/// The text of one, as it is kept.
async fn text(tx: &mut Tx, key: &'static str) -> Result<Option<String>, StoreError> {
    tx.one(
        "SELECT value FROM security_settings WHERE name = $1",
        &[key.into()],
        |row| row.text("value"),
        READ,
    )
    .await
}

async fn value<T: DeserializeOwned + Default>(tx: &mut Tx, key: &'static str) -> Result<T, StoreError> {
    match text(tx, key).await? {
        Some(text) => from_json("security setting", &text),
        None => Ok(T::default()),
    }
}

#[async_trait]
impl SecuritySettings for SqlStore {
    async fn security_settings(&self, granted: &Granted) -> Result<SecuritySettingsRow, StoreError> {
        is_record(granted, READ).or_else(|_| fits(granted, Action::Read, READ))?;
        let mut tx = self.read(READ).await?;
        Ok(SecuritySettingsRow {
            auto_redirect: value(&mut tx, AUTO_REDIRECT).await?,
            logout_redirect_uri: value(&mut tx, LOGOUT_REDIRECT_URI).await?,
            device_authorization: value(&mut tx, DEVICE_AUTHORIZATION).await?,
        })
    }

    async fn set_security_setting(
        &self,
        granted: &Granted,
        new: SetSecuritySetting,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError> {
        fits(granted, Action::Update, CHANGE)?;
        let (key, value) = match new {
            SetSecuritySetting::AutoRedirect(value) => (AUTO_REDIRECT, serde_json::to_string(&value)),
            SetSecuritySetting::LogoutRedirectUri(value) => {
                (LOGOUT_REDIRECT_URI, serde_json::to_string(&value))
            }
            SetSecuritySetting::DeviceAuthorization(value) => {
                (DEVICE_AUTHORIZATION, serde_json::to_string(&value))
            }
        };
        let after = value.map_err(|error| StoreError::Corrupt {
            what: "security setting",
            reason: error.to_string(),
        })?;
        let mut tx = self.write_as(granted, CHANGE).await?;
        let before = text(&mut tx, key).await?.unwrap_or_else(|| "not set".to_owned());
        tx.execute(
            "INSERT INTO security_settings (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            &[key.into(), Arg::text(&after)],
        )
        .await
        .context(CHANGE)?;
        let entry = entry.about(key, key).changing("setting", before, after);
        Changes::default().commit(tx, &entry, (), CHANGE).await
    }
}
