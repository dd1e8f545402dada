//! `PUT /api/v1/users/{userId}/posix` (ours): the POSIX identity that the user's containers run with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::user::{SetPosix, User};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::UserId;

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Sets them; 409 for a uid that was ever given to somebody else.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(SetPosix(posix)): JsonBody<SetPosix>,
) -> Result<Json<User>, ApiError> {
    let id: UserId = segment.id("user")?;
    let change = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        app.directory().check_numbers(&posix)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        let set = app.store.set_posix(&granted, id, Some(posix), call.at, entry);
        Ok(set.await?)
    });
    Ok(Json(to_wire(change.await?)))
}
