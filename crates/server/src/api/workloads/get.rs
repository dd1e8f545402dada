//! `GET /api/v1/workloads/{workloadId}`: of whatever kind.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload::Workload;
use reeve_authz::{Entity, Scope};
use reeve_types::WorkloadId;

use super::shown;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Segment;

/// One workload, as the list shows it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: Segment,
) -> Result<Json<Workload>, ApiError> {
    let id: WorkloadId = segment.id("workload")?;
    let hidden = || ApiError::not_found("workload", id);
    let project = app.store.locate_workload(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow_read(&caller, Entity::Workloads, Scope::Project(project), hidden)?;
    let row = app.store.workload(&granted, id).await?.ok_or_else(hidden)?;
    Ok(Json(shown(row)))
}
