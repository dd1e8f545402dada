//! `GET /api/v1/org-unit/departments/{departmentId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::Department;
use reeve_authz::{Entity, Scope};
use reeve_types::DepartmentId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::directory::Read;
use crate::error::ApiError;
use crate::extract::PathId;

/// One department; by its id and name alone when the caller may read something in it only.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Department>, ApiError> {
    let id: DepartmentId = segment.id("department")?;
    let hidden = || ApiError::not_found("department", id);
    let read = app
        .directory()
        .read_scope(&caller, Entity::Department, Scope::Department(id), hidden)?;
    let row = match read {
        Read::Whole(granted) => app.store.department(&granted, id).await?,
        Read::Name(visible) => app.store.department_name(&visible, id).await?,
    };
    Ok(Json(to_wire(row.ok_or_else(hidden)?)?))
}
