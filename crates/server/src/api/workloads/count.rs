//! `GET /api/v1/workloads/count`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::{Count, list};

use super::visible;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// How many the list would show.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<Count>, ApiError> {
    let query = pairs.list(&list::WORKLOADS)?;
    Ok(Json(Count {
        count: query.count(&visible(&app, &caller, &query).await?),
    }))
}
