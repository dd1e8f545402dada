//! `GET /api/v1/users`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list;
use reeve_api::user::User;

use super::all;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Pairs;

/// A page.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: Pairs,
) -> Result<Json<Vec<User>>, ApiError> {
    let query = pairs.list(&list::USERS)?;
    Ok(Json(query.apply(all(&app, &caller, &query).await?).items))
}
