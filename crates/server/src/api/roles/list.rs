//! `GET /api/v1/authorization/roles`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::role::Role;

use super::shown;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Roles are the same for everybody who may see any.
pub async fn handle(State(app): State<Arc<App>>, pairs: QueryPairs) -> Result<Json<Vec<Role>>, ApiError> {
    pairs.only(&[])?;
    let since = app.settings.account_created_at;
    let directory = app.directory();
    let roles = directory.index().roles();
    Ok(Json(roles.map(|role| shown(&directory, role, since)).collect()))
}
