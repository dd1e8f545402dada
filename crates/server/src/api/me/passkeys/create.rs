//! `POST /api/v1/me/passkeys` (ours): 201, with recovery codes where it is the first second factor. 400 for what the browser did not answer to
//! this, 409 for a name or a passkey that is there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::passkey::{CreatePasskey, CreatedPasskey};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::own_passkeys::Answered;

/// Makes one.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreatePasskey>,
) -> Result<(StatusCode, Json<CreatedPasskey>), ApiError> {
    let answered = Answered {
        ticket: body.ticket.expose(),
        id: &body.id,
        client_data: &body.client_data_json,
        attestation_object: &body.attestation_object,
    };
    let made = app.create_passkey(caller, call, body.name, answered).await?;
    let shown = CreatedPasskey {
        id: made.id,
        recovery_codes: made.recovery_codes.into_iter().map(Into::into).collect(),
    };
    Ok((StatusCode::CREATED, Json(shown)))
}
