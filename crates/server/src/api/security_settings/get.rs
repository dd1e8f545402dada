//! `GET /api/v1/security/settings/{key}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::setting::SecuritySetting;
use reeve_authz::{Action, Entity};

use super::{Key, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One of them.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<SecuritySetting>, ApiError> {
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::SecuritySettings)?;
    let key: Key = segment.id("security setting")?;
    let all = to_wire(app.store.security_settings(&granted).await?);
    let nothing = SecuritySetting {
        enabled: None,
        idp_alias: None,
        uri: None,
    };
    Ok(Json(match key {
        Key::AutoRedirectSso => SecuritySetting {
            enabled: Some(all.auto_redirect_sso.enabled),
            idp_alias: all.auto_redirect_sso.idp_alias,
            ..nothing
        },
        Key::LogoutRedirectUri => SecuritySetting {
            uri: Some(all.logout_redirect_uri.uri),
            ..nothing
        },
        Key::DeviceAuthorization => SecuritySetting {
            enabled: Some(all.device_authorization.enabled),
            ..nothing
        },
    }))
}
