//! `GET /api/v1/users`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list::UserColumn;
use reeve_api::user::User;
use reeve_authz::{Action, Entity};

use super::{only_local, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<User>>, ApiError> {
    let query = pairs.list::<UserColumn>()?;
    let local = only_local(&query)?;
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::Users)?;
    let page = app.store.users(&granted, &query, local).await?;
    Ok(Json(page.items.into_iter().map(to_wire).collect()))
}
