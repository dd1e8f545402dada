//! `POST /api/v1/me/authenticator/remove` (ours): 200 for a code of it, or a recovery code. 400 for a wrong code, 409 without an
//! authenticator, 429 after too many wrong codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::OneTimeCode;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Takes it away.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<OneTimeCode>,
) -> Result<StatusCode, ApiError> {
    app.remove_own_authenticator(caller, call, &body.code).await?;
    Ok(StatusCode::OK)
}
