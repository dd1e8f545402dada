//! `POST …/login-actions/passkey`: a passkey instead of a password, by a form that a script of ours sends.
//!
//! The question stands in the sign-in page, the same for everybody, and its challenge in a ticket beside it, which counts together with the
//! cookie of the same sign-in alone and is good once. So nothing is kept for whoever only opens the page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_store::AuditAction;
use reeve_types::Timestamp;
use reeve_webauthn::Assertion;

use super::authorize::form as sign_in_page;
use super::finish::finish;
use super::page::problem;
use super::sent::{NOT_BEGUN, Sent};
use super::ticket::{Attempt, ShowsPasskey};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;

/// The same for every way to fail, so that nobody learns who exists.
const WRONG: &str = "The passkey is not right, or this took longer than five minutes.";

/// Looks at the passkey and ends the sign-in.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some((attempt, shows)) = sent.ticket::<ShowsPasskey>(&app, &call) else {
        return match sent.attempt() {
            // The page was open for a while.
            Some(attempt) => again(&app, attempt, call.at).await,
            None => Ok(problem(&app, &call, 400, NOT_BEGUN)),
        };
    };
    let get = |name| sent.pairs.get(name).unwrap_or_default();
    let shown = Assertion::read(
        get("id"),
        get("clientDataJSON"),
        get("authenticatorData"),
        get("signature"),
        get("userHandle"),
    );
    let session = match shown {
        Ok(shown) => {
            app.passkey_signs_in(&call, &shows.challenge, shows.until, &shown)
                .await?
        }
        Err(why) => app.passkey_is_refused(&call, call.event(AuditAction::SignIn, "users"), why),
    };
    match session {
        Some(session) => finish(&app, &call, attempt, &session),
        None => again(&app, attempt, call.at).await,
    }
}

async fn again(app: &App, attempt: &Attempt, now: Timestamp) -> Result<Response, ApiError> {
    sign_in_page(app, attempt, now, StatusCode::BAD_REQUEST, Some(WRONG)).await
}
