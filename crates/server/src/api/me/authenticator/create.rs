//! `POST /api/v1/me/authenticator` (ours): 201 with what an authenticator is given; its codes are not asked for before the first was
//! confirmed. 409 when there is one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::NewAuthenticator;
use reeve_identity::totp::TotpSecret;
use reeve_types::Secret;

use super::{ISSUER, event, local};
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
) -> Result<(StatusCode, Json<NewAuthenticator>), ApiError> {
    let (user, email) = local(&app, &caller).await?;
    let secret = TotpSecret::generate(&app.security.random).map_err(ApiError::internal)?;
    let sealed = app.sealed_totp_secret(user, &secret)?;
    app.change(caller.asker(), move |app| async move {
        let granted = crate::audit::session_record();
        let entry = event(&call, &caller, "begun");
        Ok(app
            .store
            .create_authenticator(&granted, user, sealed, entry)
            .await?)
    })
    .await?;
    let text = secret.text();
    let label: String = url::form_urlencoded::byte_serialize(email.as_str().as_bytes()).collect();
    let address = format!(
        "otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30",
        text.expose()
    );
    let made = NewAuthenticator {
        secret: text.into(),
        address: Secret::new(address).into(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}
