//! `GET /api/v1/org-unit/projects/count`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::Count;
use reeve_api::list::ProjectColumn;
use reeve_authz::Entity;

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
    let query = pairs.list::<ProjectColumn>()?;
    let visible = app.directory().visible(&caller, Entity::Project)?;
    let count = app.store.count_projects(&visible, &query).await?;
    Ok(Json(Count { count }))
}
