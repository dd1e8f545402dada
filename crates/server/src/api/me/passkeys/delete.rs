//! `DELETE /api/v1/me/passkeys/{passkeyId}` (ours): 204. 403 more than ten minutes after the sign-in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_types::PasskeyId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Takes one away.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: PasskeyId = segment.id("passkey")?;
    app.remove_own_passkey(caller, call, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
