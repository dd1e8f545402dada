//! `GET /api/v1/security/settings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::setting::SecuritySettings;
use reeve_authz::{Action, Entity};

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// All of them.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<SecuritySettings>, ApiError> {
    pairs.only(&[])?;
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::SecuritySettings)?;
    Ok(Json(to_wire(app.store.security_settings(&granted).await?)))
}
