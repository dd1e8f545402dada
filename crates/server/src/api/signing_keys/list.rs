//! `GET /api/v1/security/signing-keys` (ours): a bare array; the current key first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::signing_key::SigningKey;
use reeve_authz::{Action, Entity};

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// All of them.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Vec<SigningKey>>, ApiError> {
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Read, Entity::SecuritySettings)?,
    );
    Ok(Json(to_wire(&app)))
}
