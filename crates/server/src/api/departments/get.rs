//! `GET /api/v1/org-unit/departments/{departmentId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::Department;
use reeve_authz::{Entity, Scope};
use reeve_types::DepartmentId;

use super::shown;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Segment;

/// One department.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: Segment,
) -> Result<Json<Department>, ApiError> {
    let id: DepartmentId = segment.id("department")?;
    let hidden = || ApiError::not_found("department", id);
    let granted = app
        .directory()
        .allow_read(&caller, Entity::Department, Scope::Department(id), hidden)?;
    let row = app.store.department(&granted, id).await?.ok_or_else(hidden)?;
    Ok(Json(shown(row)?))
}
