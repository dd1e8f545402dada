//! `GET /api/v1/workloads/trainings/{workloadId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::training::Training;
use reeve_authz::{Entity, Scope};
use reeve_types::WorkloadId;

use super::training;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Segment;

/// One training.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: Segment,
) -> Result<Json<Training>, ApiError> {
    let id: WorkloadId = segment.id("training")?;
    let hidden = || ApiError::not_found("training", id);
    let project = app.store.locate_workload(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow_read(&caller, Entity::Trainings, Scope::Project(project), hidden)?;
    let row = app.store.workload(&granted, id).await?.ok_or_else(hidden)?;
    Ok(Json(training(row)?))
}
