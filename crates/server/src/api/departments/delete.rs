//! `DELETE /api/v1/org-unit/departments/{departmentId}`: 204, with its projects.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::DepartmentId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::Segment;

/// Removes a department.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
) -> Result<StatusCode, ApiError> {
    let id: DepartmentId = segment.id("department")?;
    app.change(move |app| async move {
        let scope = Scope::Department(id);
        let hidden = || ApiError::not_found("department", id);
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::Department,
            scope,
            Entity::Department,
            hidden,
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        let committed = app.store.delete_department(&granted, id, call.at, entry).await?;
        app.directory_mut().remove_scope(scope);
        app.announce(&committed.revisions);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
