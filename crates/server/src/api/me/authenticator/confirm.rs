//! `POST /api/v1/me/authenticator/confirm` (ours): 200 with recovery codes that are shown once; from now on a code is asked for. 400 for
//! a wrong code, 409 when none waits.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::me::{OneTimeCode, RecoveryCodes};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Confirms it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<OneTimeCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let codes = app.confirm_authenticator(caller, call, &body.code).await?;
    Ok(Json(RecoveryCodes {
        recovery_codes: codes.into_iter().map(Into::into).collect(),
    }))
}
