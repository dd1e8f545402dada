//! `POST /api/v1/me/authenticator/remove` (ours): 200 for a code of it, or a recovery code. 400 for a wrong code, 409 without an
//! authenticator, 429 after too many wrong codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::OneTimeCode;

use super::{AuthenticatorRefusal, event, local};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::second_factor::SecondFactor;

/// Takes it away.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<OneTimeCode>,
) -> Result<StatusCode, ApiError> {
    let (user, _) = local(&app, &caller).await?;
    match app
        .second_factor(user, Some(&body.code), false, app.clock.now())
        .await?
    {
        SecondFactor::Shown(_) => {}
        SecondFactor::None => return Err(AuthenticatorRefusal::None.into()),
        SecondFactor::Missing | SecondFactor::Wrong => return Err(AuthenticatorRefusal::Wrong.into()),
    }
    app.change(caller.asker(), move |app| async move {
        let granted = crate::audit::session_record();
        let entry = event(&call, &caller, "removed");
        let removed = app.store.remove_authenticator(&granted, user, entry).await?;
        Ok(removed.map(|()| StatusCode::OK))
    })
    .await
}
