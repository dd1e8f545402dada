//! `GET /api/v2/authorization/roles/{roleIdPath}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::custom_role::RoleV2;
use reeve_authz::RoleId;

use super::to_wire;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::PathId;

/// One role: the same for everybody who may see any.
pub async fn handle(State(app): State<Arc<App>>, segment: PathId) -> Result<Json<RoleV2>, ApiError> {
    let directory = app.directory();
    let role = RoleId::new(segment.id("role")?).and_then(|id| directory.index().role(id));
    let role = role.ok_or_else(|| ApiError::not_found("role", segment.text()))?;
    Ok(Json(to_wire(&directory, role, app.settings.account_created_at)))
}
