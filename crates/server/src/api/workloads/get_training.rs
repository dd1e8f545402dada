//! `GET /api/v1/workloads/trainings/{workloadId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::training::Training;
use reeve_authz::Entity;

use super::{readable, training};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One training.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Training>, ApiError> {
    let row = readable(&app, &caller, &segment, Entity::Trainings, "training").await?;
    Ok(Json(training(row)?))
}
