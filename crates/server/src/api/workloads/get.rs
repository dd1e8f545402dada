//! `GET /api/v1/workloads/{workloadId}`: of whatever kind.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload::Workload;
use reeve_authz::Entity;

use super::{readable, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One workload, as the list shows it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Workload>, ApiError> {
    let row = readable(&app, &caller, &segment, Entity::Workloads, "workload").await?;
    Ok(Json(to_wire(row.summary)))
}
