//! `PUT /api/v1/org-unit/departments/{departmentId}`: 200. Description, quotas and rules as a whole; name and cluster never change.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{Department, UpdateDepartment};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::{AuditAction, SetDepartment};
use reeve_types::DepartmentId;

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Replaces what people wrote down about a department.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<UpdateDepartment>,
) -> Result<Json<Department>, ApiError> {
    let id: DepartmentId = segment.id("department")?;
    let details = serde_json::to_value(body.settings()).map_err(ApiError::internal)?;
    let row = app
        .change(caller.asker(), move |app| async move {
            let hidden = || ApiError::not_found("department", id);
            let (scope, entity) = (Scope::Department(id), Entity::Department);
            let granted = app
                .directory()
                .allow(&caller, Action::Update, entity, scope, entity, hidden)?;
            let new = SetDepartment {
                details,
                at: call.at,
                by: caller.name.clone(),
            };
            let mut entry = call.entry(&caller, &granted, AuditAction::Update);
            entry.cluster_id = app.directory().cluster_of(scope);
            Ok(app.store.update_department(&granted, id, new, entry).await?)
        })
        .await?;
    Ok(Json(to_wire(row)?))
}
