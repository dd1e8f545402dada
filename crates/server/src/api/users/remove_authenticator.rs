//! `DELETE /api/v1/users/{userId}/authenticator` (ours): 204. For an authenticator that is lost together with its recovery codes: the
//! password alone signs in then. Sessions go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_types::UserId;

use super::second_factor_removal;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a user's authenticator.
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
        "authenticator",
        move |app, granted, entry| async move { app.store.remove_authenticator(&granted, id, entry).await },
    )
    .await
}
