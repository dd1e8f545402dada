//! `GET /api/v1/users/count`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::Count;
use reeve_api::list::UserColumn;
use reeve_authz::{Action, Entity};

use super::only_local;
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
    let query = pairs.list::<UserColumn>()?;
    let local = only_local(&query)?;
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::Users)?;
    let count = app.store.count_users(&granted, &query, local).await?;
    Ok(Json(Count { count }))
}
