//! `GET /api/v1/authorization/roles/{roleIdPath}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::role::Role;
use reeve_authz::RoleId;

use super::shown;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::PathId;

/// One role.
pub async fn handle(State(app): State<Arc<App>>, segment: PathId) -> Result<Json<Role>, ApiError> {
    let directory = app.directory();
    let role = RoleId::new(segment.id("role")?).and_then(|id| directory.index().role(id));
    let role = role.ok_or_else(|| ApiError::not_found("role", segment.text()))?;
    Ok(Json(shown(&directory, role, app.settings.account_created_at)))
}
