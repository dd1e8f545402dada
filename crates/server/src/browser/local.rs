//! `POST …/login-actions/authenticate`: a local user's password, by a form. A temporary one leads to the page for another.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_types::Secret;

use super::authorize::form;
use super::finish::finish;
use super::new_password;
use super::page::problem;
use super::sent::{NOT_BEGUN, Sent};
use crate::api::token::grant::{self, Begun};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::second_factor::Needed;

/// Checks the password as the token route does, with the same bounds and the same words for every way to fail.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some(attempt) = sent.attempt() else {
        return Ok(problem(&app, &call, 400, NOT_BEGUN));
    };
    let pairs = &sent.pairs;
    let password = Secret::new(pairs.get("password").unwrap_or_default());
    let code = pairs.get("code").map(Secret::new);
    let username = pairs.get("username").unwrap_or_default();
    let wrong = match grant::password(&app, &call, username, &password, code).await? {
        Begun::Session(session) if app.directory().has_temporary_password(&session) => {
            return new_password::form(&app, attempt, &session, StatusCode::OK, None);
        }
        Begun::Session(session) => return finish(&app, &call, attempt, &session),
        Begun::Needed(Needed::Passkey) => {
            "This account has a passkey: sign in with it below, or give a recovery code together with the password."
        }
        Begun::Needed(Needed::Code) => {
            "This account has an authenticator: give its code, or a recovery code, together with the password."
        }
        Begun::No => "The email, the password or the one-time code is not right.",
    };
    form(&app, attempt, call.at, StatusCode::BAD_REQUEST, Some(wrong)).await
}
