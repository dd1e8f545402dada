//! `GET /api/v1/authorization/access-rules`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::AccessRules;
use reeve_api::list::AccessRuleColumn;
use reeve_authz::Entity;

use super::{filter, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page of those in scopes where the caller may read rules.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<AccessRules>, ApiError> {
    let query = pairs.list::<AccessRuleColumn>()?;
    let filter = filter(&query, &pairs)?;
    let visible = app.directory().visible(&caller, Entity::AccessRules)?;
    let (page, total) = app.store.access_rules(&visible, &query, &filter).await?;
    let mut access_rules = Vec::new();
    for row in page.items {
        // Held for one at a time: a change waits for nobody's list.
        access_rules.push(to_wire(row, &app.directory()));
    }
    Ok(Json(AccessRules {
        total_records: usize::try_from(total).unwrap_or(usize::MAX),
        display_records: access_rules.len(),
        access_rules,
    }))
}
