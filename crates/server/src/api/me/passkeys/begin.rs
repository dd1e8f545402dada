//! `POST /api/v1/me/passkeys/begin` (ours): 200 with what a browser is asked. 403 more than ten minutes after the sign-in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::passkey::PasskeyCreation;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::NoBody;

/// Begins one.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    NoBody: NoBody,
) -> Result<Json<PasskeyCreation>, ApiError> {
    let begun = app.begin_passkey(&caller, &call).await?;
    Ok(Json(PasskeyCreation {
        ticket: begun.ticket.into(),
        public_key: serde_json::from_value(begun.options).map_err(ApiError::internal)?,
    }))
}
