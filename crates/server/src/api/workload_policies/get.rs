//! `GET /api/v2/policy/trainings` and `…/workspaces`: 200.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload_policy::WorkloadPolicy;
use reeve_authz::Entity;
use reeve_types::PolicyKind;

use super::{WHERE, effective, hidden, scope_of, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Of trainings.
pub async fn training(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    get(&app, &caller, &pairs, PolicyKind::Training).await
}

/// Of workspaces.
pub async fn workspace(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    get(&app, &caller, &pairs, PolicyKind::Workspace).await
}

/// The scope's own policy and what holds there. 404 where neither it nor anything above it has one.
async fn get(
    app: &App,
    caller: &Caller,
    pairs: &QueryPairs,
    kind: PolicyKind,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    pairs.only(&WHERE)?;
    let scope = scope_of(pairs)?;
    let granted = app
        .directory()
        .allow_read(caller, Entity::Policies, scope, || hidden(scope))?;
    let row = app.store.workload_policy(&granted, scope, kind).await?;
    let directory = app.directory();
    if row.is_none() && directory.policies_on_the_way(scope, kind).is_empty() {
        let id = format!("{} of {}", kind.as_str(), directory.scope_name(scope));
        return Err(ApiError::not_found("workload policy", id));
    }
    Ok(Json(to_wire(row, effective(&directory, scope, kind))))
}
