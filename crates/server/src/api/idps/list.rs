//! `GET /api/v1/idps`: a bare array, secrets masked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::identity_provider::Idp;
use reeve_authz::{Action, Entity};

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// All of them.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Vec<Idp>>, ApiError> {
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::SecuritySettings)?;
    let idps = app.idps_for(&granted).await?;
    let mut all = Vec::with_capacity(idps.len());
    for idp in &idps {
        all.push(to_wire(&app, idp).await);
    }
    Ok(Json(all))
}
