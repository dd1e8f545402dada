//! `PUT /api/v1/users/{userId}/posix` (ours): the numbers her containers run with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::user::{SetPosix, User};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::UserId;

use super::shown;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{Parsed, Segment};

/// Sets them; 409 for a uid that was ever given to somebody else.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
    Parsed(SetPosix(posix)): Parsed<SetPosix>,
) -> Result<Json<User>, ApiError> {
    let id: UserId = segment.id("user")?;
    app.change(move |app| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        app.directory().check_numbers(&posix)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        let row = app
            .store
            .set_posix(&granted, id, Some(posix), call.at, entry)
            .await?;
        let mut directory = app.directory_mut();
        if let Some(mut facts) = directory.user(id).cloned() {
            facts.posix.clone_from(&row.posix);
            directory.put_user(facts);
        }
        Ok(Json(shown(row)))
    })
    .await
}
