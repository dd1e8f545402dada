//! `GET /api/v1/me/authenticator` (ours): whether there is one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::me::Authenticator;

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// The caller's authenticator.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Authenticator>, ApiError> {
    let kept = app
        .own_authenticator(&caller)
        .await?
        .filter(|kept| kept.confirmed);
    Ok(Json(Authenticator {
        enabled: kept.is_some(),
        created_at: kept.as_ref().map(|kept| kept.created_at),
        recovery_codes_left: kept.map_or(0, |kept| kept.recovery_codes),
    }))
}
