//! `DELETE /api/v1/users/{userId}/passkeys` (ours): 204. For passkeys that are lost, and for ones that somebody else may have: the password
//! signs in without them then, with the code of an authenticator where there is one. Sessions go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_types::UserId;

use super::second_factor_removal;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes all of a user's passkeys.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: UserId = segment.id("user")?;
    second_factor_removal::of_user(
        &app,
        caller,
        call,
        id,
        "passkey",
        move |app, granted, entry| async move { app.store.remove_passkeys(&granted, id, entry).await },
    )
    .await
}
