//! `GET /api/v1/workloads`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list;
use reeve_api::workload::Workloads;

use super::visible;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// A page of those the caller may see. Deleted ones are not kept, so `deleted=true` shows none.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<Workloads>, ApiError> {
    let query = pairs.list(&list::WORKLOADS)?;
    let mut all = visible(&app, &caller).await?;
    if query.flag("deleted")? {
        all.clear();
    }
    let page = query.apply(all);
    Ok(Json(Workloads {
        workloads: page.items,
        next: page.next,
    }))
}
