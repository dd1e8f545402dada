//! `POST /api/v1/users/{userId}/password`: 200 with a new, temporary password that is shown once. What was signed in with the old one
//! is out from the next request on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::user::NewPassword;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::UserId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Gives the user another password. The right is asked twice: before the costly hash, and in its turn.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<NewPassword>, ApiError> {
    let id: UserId = segment.id("user")?;
    let hidden = move || ApiError::not_found("user", id);
    drop(
        app.directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?,
    );
    let (temp_password, password) = app.security.new_password().await?;
    app.revoke(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::ResetPassword);
        let at = app.clock.now();
        Ok(app.store.set_password(&granted, id, password, at, entry).await?)
    })
    .await?;
    Ok(Json(NewPassword {
        temp_password: temp_password.into(),
    }))
}
