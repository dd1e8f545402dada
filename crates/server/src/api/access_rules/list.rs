//! `GET /api/v1/authorization/access-rules`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::AccessRules;
use reeve_api::list;

use super::visible;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// A page of those in scopes where the caller may read rules.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<AccessRules>, ApiError> {
    let query = pairs.list(&list::ACCESS_RULES)?;
    let page = query.apply(visible(&app, &caller, &query, &pairs).await?);
    Ok(Json(AccessRules {
        total_records: page.total,
        display_records: page.items.len(),
        access_rules: page.items,
    }))
}
