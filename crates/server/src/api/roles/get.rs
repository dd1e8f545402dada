//! `GET /api/v1/authorization/roles/{roleIdPath}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::role::Role;

use crate::app::App;
use crate::error::ApiError;
use crate::extract::Segment;

/// One role.
pub async fn handle(State(app): State<Arc<App>>, segment: Segment) -> Result<Json<Role>, ApiError> {
    let role = reeve_authz::Role::from_id(segment.id("role")?);
    let role = role.ok_or_else(|| ApiError::not_found("role", segment.text()))?;
    Ok(Json(Role::predefined(role, app.settings.account_created_at)))
}
