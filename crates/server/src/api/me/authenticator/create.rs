//! `POST /api/v1/me/authenticator` (ours): 201 with what an authenticator is given; its codes are not asked for before the first was
//! confirmed. 409 when there is one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::me::NewAuthenticator;

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
    let setup = app.begin_authenticator(caller, call).await?;
    let made = NewAuthenticator {
        secret: setup.secret.into(),
        address: setup.address.into(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}
