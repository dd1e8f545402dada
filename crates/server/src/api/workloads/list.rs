//! `GET /api/v1/workloads`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload::Workloads;

use super::page;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page of those the caller may see.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Workloads>, ApiError> {
    Ok(Json(page(&app, &caller, &pairs).await?))
}
