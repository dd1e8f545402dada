//! `GET /api/v1/me/passkeys` (ours): the caller's passkeys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::passkey::Passkeys;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// By name.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Passkeys>, ApiError> {
    Ok(Json(to_wire(app.own_passkeys(&caller).await?)))
}
