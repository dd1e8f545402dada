//! `GET /api/v1/users/{userId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::user::User;
use reeve_authz::{Action, Entity};
use reeve_types::UserId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One person.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<User>, ApiError> {
    let id: UserId = segment.id("user")?;
    let hidden = || ApiError::not_found("user", id);
    let granted = app
        .directory()
        .allow_hidden(&caller, Action::Read, Entity::Users, hidden)?;
    let row = app.store.user(&granted, id).await?.ok_or_else(hidden)?;
    Ok(Json(to_wire(row)))
}
