//! `GET /api/v1/workloads/{workloadId}`: of whatever kind.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload::Workload;
use reeve_authz::Entity;

use super::{readable, shown};
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
    let row = readable(&app, &caller, &segment, Entity::Workloads, "workload").await?;
    Ok(Json(shown(row.summary)))
}
