//! `DELETE /api/v1/org-unit/projects/{projectId}`: 204. Its namespace and what runs there stay (control-plane 2.7).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::Scope;
use reeve_types::ProjectId;

use crate::api::deletion;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a project.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let at = call.at;
    deletion::of_scope(
        &app,
        caller,
        call,
        Scope::Project(id),
        move |app, granted, entry| async move { app.store.delete_project(&granted, id, at, entry).await },
    )
    .await
}
