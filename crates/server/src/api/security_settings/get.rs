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
    let (redirect, logout) = (all.auto_redirect_sso, all.logout_redirect_uri);
    Ok(Json(match key {
        Key::AutoRedirectSso => SecuritySetting {
            enabled: Some(redirect.enabled),
            idp_alias: redirect.idp_alias,
            uri: None,
        },
        Key::LogoutRedirectUri => SecuritySetting {
            enabled: None,
            idp_alias: None,
            uri: Some(logout.uri),
        },
    }))
}
