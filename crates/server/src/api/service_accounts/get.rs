//! `GET /api/v1/service-accounts/{serviceAccountId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::service_account::ServiceAccount;
use reeve_authz::{Action, Entity};
use reeve_types::ServiceAccountId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One service account.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<ServiceAccount>, ApiError> {
    let id: ServiceAccountId = segment.id("service account")?;
    let hidden = || ApiError::not_found("service account", id);
    let granted = app
        .directory()
        .allow_hidden(&caller, Action::Read, Entity::ServiceAccount, hidden)?;
    let row = app
        .store
        .service_account(&granted, id)
        .await?
        .ok_or_else(hidden)?;
    Ok(Json(to_wire(row)))
}
