//! `GET /api/v1/org-unit/projects/{projectId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::Project;
use reeve_authz::{Entity, Scope};
use reeve_types::ProjectId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One project.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Project>, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let hidden = || ApiError::not_found("project", id);
    let granted = app
        .directory()
        .allow_read(&caller, Entity::Project, Scope::Project(id), hidden)?;
    let row = app.store.project(&granted, id).await?.ok_or_else(hidden)?;
    Ok(Json(to_wire(row)?))
}
