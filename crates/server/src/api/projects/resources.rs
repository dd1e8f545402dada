//! `PUT` and `PATCH /api/v1/org-unit/projects/{projectId}/resources`: 200 with all quotas of the project as they are now. They are kept and
//! shown, as everything that `PUT` of a project takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{Resources, SetResources};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, SetProject};
use reeve_types::ProjectId;

use super::Details;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// These, and no others.
pub async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetResources>,
) -> Result<Json<Vec<Resources>>, ApiError> {
    change(&app, caller, call, &segment, move |_| body.alone()).await
}

/// These in the place of those of the same node pools.
pub async fn merge(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetResources>,
) -> Result<Json<Vec<Resources>>, ApiError> {
    change(&app, caller, call, &segment, move |before| body.over(before)).await
}

async fn change(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    segment: &PathId,
    set: impl FnOnce(Vec<Resources>) -> Vec<Resources> + Clone + Send + 'static,
) -> Result<Json<Vec<Resources>>, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let all = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("project", id);
        let (scope, entity) = (Scope::Project(id), Entity::Project);
        let granted = app
            .directory()
            .allow(&caller, Action::Update, entity, scope, entity, hidden)?;
        // Who changes a part has to read the rest. What another process writes meanwhile is in the change log, and refuses `granted`.
        let reads = app.directory().allow_read(&caller, entity, scope, hidden)?;
        let before = app.store.project(&reads, id).await?.ok_or_else(hidden)?;
        let mut details: Details = serde_json::from_value(before.details).map_err(ApiError::internal)?;
        details.settings.resources = set(details.settings.resources);
        let all = details.settings.resources.clone();
        let new = SetProject {
            details: serde_json::to_value(details).map_err(ApiError::internal)?,
            at: call.at,
            by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = app.directory().cluster_of(scope);
        let changed = app.store.update_project(&granted, id, new, entry).await?;
        Ok(changed.map(|_| all))
    });
    Ok(Json(all.await?))
}
