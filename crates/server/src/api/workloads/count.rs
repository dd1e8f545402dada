//! `GET /api/v1/workloads/count`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::Count;

use super::asked;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// How many the list would show.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Count>, ApiError> {
    let count = match asked(&app, &caller, &pairs)? {
        Some((visible, query)) => app.store.count_workloads(&visible, &query).await?,
        None => 0,
    };
    Ok(Json(Count { count }))
}
