//! `DELETE /api/v1/org-unit/projects/{projectId}`: 204. Its namespace and what runs there stay (control-plane 2.7).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::ProjectId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::Segment;

/// Removes a project.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
) -> Result<StatusCode, ApiError> {
    let id: ProjectId = segment.id("project")?;
    app.change(move |app| async move {
        let scope = Scope::Project(id);
        let hidden = || ApiError::not_found("project", id);
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::Project,
            scope,
            Entity::Project,
            hidden,
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        let committed = app.store.delete_project(&granted, id, call.at, entry).await?;
        app.directory_mut().remove_scope(scope);
        app.announce(&committed.revisions);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
