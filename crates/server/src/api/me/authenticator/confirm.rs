//! `POST /api/v1/me/authenticator/confirm` (ours): 200 with recovery codes that are shown once; from now on a code is asked for. 400 for
//! a wrong code, 409 when none waits.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::me::{OneTimeCode, RecoveryCodes};
use reeve_identity::totp;

use super::{AuthenticatorRefusal, event, local};
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
    let (user, _) = local(&app, &caller).await?;
    let kept = app.authenticator(user).await?.filter(|kept| !kept.confirmed);
    let kept = kept.ok_or(AuthenticatorRefusal::NoneWaits)?;
    // Whoever has the token has seen the secret: there is nothing to guess.
    let step = app
        .totp_secret(user, &kept)?
        .step_of(body.code.expose(), app.clock.now())
        .ok_or(AuthenticatorRefusal::Wrong)?;
    let (mut shown, mut hashes) = (Vec::new(), Vec::new());
    for _ in 0..totp::RECOVERY_CODES {
        let code = totp::generate_recovery_code(&app.security.random).map_err(ApiError::internal)?;
        let read =
            totp::recovery_code(code.expose()).ok_or_else(|| ApiError::internal("an unreadable code"))?;
        hashes.push(app.security.secret_verifier(&read));
        shown.push(code.into());
    }
    app.change(caller.asker(), move |app| async move {
        let granted = crate::audit::session_record();
        let entry = event(&call, &caller, "confirmed");
        Ok(app
            .store
            .confirm_authenticator(&granted, user, step, hashes, entry)
            .await?)
    })
    .await?;
    Ok(Json(RecoveryCodes {
        recovery_codes: shown,
    }))
}
