//! `DELETE /api/v1/org-unit/departments/{departmentId}`: 204, with its projects.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::Scope;
use reeve_types::DepartmentId;

use crate::api::deletion;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a department.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: DepartmentId = segment.id("department")?;
    let at = call.at;
    deletion::of_scope(
        &app,
        caller,
        call,
        Scope::Department(id),
        move |app, granted, entry| async move { app.store.delete_department(&granted, id, at, entry).await },
    )
    .await
}
