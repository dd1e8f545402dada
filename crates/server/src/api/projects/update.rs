//! `PUT /api/v1/org-unit/projects/{projectId}`: 200. Description, quotas and rules as a whole; what else a project is never changes, or
//! by operations of its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{Project, UpdateProject};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, SetProject};
use reeve_types::ProjectId;

use super::{Details, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Replaces what people wrote down about a project.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<UpdateProject>,
) -> Result<Json<Project>, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let details = Details {
        enforce_runai_scheduler: body.enforce_runai_scheduler,
        settings: body.settings(),
    };
    let details = serde_json::to_value(details).map_err(ApiError::internal)?;
    let row = app
        .change(caller.asker(), move |app| async move {
            let hidden = || ApiError::not_found("project", id);
            let (scope, entity) = (Scope::Project(id), Entity::Project);
            let granted = app
                .directory()
                .allow(&caller, Action::Update, entity, scope, entity, hidden)?;
            let new = SetProject {
                details,
                at: call.at,
                by: caller.name.clone(),
            };
            let mut entry = call.entry(&caller, &granted, AuditAction::Update);
            entry.cluster_id = app.directory().cluster_of(scope);
            Ok(app.store.update_project(&granted, id, new, entry).await?)
        })
        .await?;
    Ok(Json(to_wire(row)?))
}
