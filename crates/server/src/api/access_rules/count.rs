//! `GET /api/v1/authorization/access-rules/count`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::Count;
use reeve_api::list::AccessRuleColumn;
use reeve_authz::Entity;

use super::filter;
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
    let query = pairs.list::<AccessRuleColumn>()?;
    let filter = filter(&query, &pairs)?;
    let visible = app.directory().visible(&caller, Entity::AccessRules)?;
    let count = app.store.count_access_rules(&visible, &query, &filter).await?;
    Ok(Json(Count { count }))
}
