//! `PUT` and `PATCH /api/v1/org-unit/departments/{departmentId}/resources`: 200 with all quotas of the department as they are now. They are kept and
//! shown, as everything that `PUT` of a department takes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{OrgUnitSettings, Resources, SetResources};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, SetDepartment};
use reeve_types::DepartmentId;

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
    let id: DepartmentId = segment.id("department")?;
    let all = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("department", id);
        let (scope, entity) = (Scope::Department(id), Entity::Department);
        let granted = app
            .directory()
            .allow(&caller, Action::Update, entity, scope, entity, hidden)?;
        // Who changes a part has to read the rest. What another process writes meanwhile is in the change log, and refuses `granted`.
        let reads = app.directory().allow_read(&caller, entity, scope, hidden)?;
        let before = app.store.department(&reads, id).await?.ok_or_else(hidden)?;
        let mut details: OrgUnitSettings =
            serde_json::from_value(before.details).map_err(ApiError::internal)?;
        details.resources = set(details.resources);
        let all = details.resources.clone();
        let new = SetDepartment {
            details: serde_json::to_value(details).map_err(ApiError::internal)?,
            at: call.at,
            by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = app.directory().cluster_of(scope);
        let changed = app.store.update_department(&granted, id, new, entry).await?;
        Ok(changed.map(|_| all))
    });
    Ok(Json(all.await?))
}
