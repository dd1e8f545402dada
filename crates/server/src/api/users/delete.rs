//! `DELETE /api/v1/users/{userId}`: 204. The user's tokens are worth nothing from the next request on, the rules for the user go, and
//! the uid is never given again; the email is at once if the user never signed in, otherwise after a few minutes, when the last
//! Kubernetes token is worth nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::Entity;
use reeve_types::UserId;

use crate::api::deletion;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a person; 409 for the account's last local System administrator.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: UserId = segment.id("user")?;
    deletion::of_account(
        &app,
        caller,
        call,
        Entity::Users,
        ("user", id),
        move |app, granted, entry| async move {
            // Now, not when the request arrived: a token may have been given while it waited for its turn.
            let at = app.clock.now();
            app.store.delete_user(&granted, id, at, entry).await
        },
    )
    .await
}
