//! `GET /api/v1/users/{userId}/passkeys` (ours): a user's passkeys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::passkey::Passkeys;
use reeve_authz::{Action, Entity};
use reeve_types::UserId;

use crate::api::me::passkeys::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// By name.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Passkeys>, ApiError> {
    let id: UserId = segment.id("user")?;
    let hidden = || ApiError::not_found("user", id);
    let granted = {
        let directory = app.directory();
        let granted = directory.allow_hidden(&caller, Action::Read, Entity::Users, hidden)?;
        directory.user(id).ok_or_else(hidden)?;
        granted
    };
    Ok(Json(to_wire(app.store.passkeys(&granted, id).await?)))
}
