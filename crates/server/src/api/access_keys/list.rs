//! `GET /api/v1/access-keys`: all of the caller's in one object.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_key::{AccessKey, AccessKeys};

use super::{owner, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// The caller's access keys.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<AccessKeys>, ApiError> {
    let access_keys = list(&app, &caller, &pairs).await?;
    Ok(Json(AccessKeys { access_keys }))
}

/// `GET /api/v1/user-applications`: the same as a bare array.
pub async fn of_user_applications(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<AccessKey>>, ApiError> {
    Ok(Json(list(&app, &caller, &pairs).await?))
}

async fn list(app: &App, caller: &Caller, pairs: &QueryPairs) -> Result<Vec<AccessKey>, ApiError> {
    pairs.only(&[])?;
    let granted = crate::audit::own_access_key();
    let keys = app.store.access_keys(&granted, owner(caller)?).await?;
    Ok(keys.into_iter().map(to_wire).collect())
}
