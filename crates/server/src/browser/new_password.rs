//! `POST …/login-actions/required-action`: whoever signed in with a temporary password chooses another, and the sign-in goes on.
//!
//! The session began when the temporary password was shown, and is good for nothing else until this is done (`middleware.rs`). Here it is
//! named by a ticket in the form, which counts together with the cookie of the same sign-in alone.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_identity::check_password;
use reeve_store::SessionFacts;
use reeve_types::Secret;

use super::finish::finish;
use super::page::{escape, page, problem, said};
use super::sent::{NOT_BEGUN, Sent};
use super::ticket::{Attempt, ChoosesPassword, ClientRequest, Person};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::own_password::Current;

const DIFFERENT: &str = "The two passwords differ: type the same one twice.";
const SAME: &str = "Choose a password that is not the temporary one.";

/// Changes the password and ends the sign-in.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some((attempt, ChoosesPassword(person))) = sent.ticket(&app, &call) else {
        return Ok(problem(&app, &call, 400, NOT_BEGUN));
    };
    let Some((caller, session)) = app.still_signed_in(&person, &call).await? else {
        let text = "You were signed out, or were given another password meanwhile. Begin again.";
        return Ok(problem(&app, &call, 400, text));
    };
    // Sent twice, by a second click: it is done.
    if !caller.has_temporary_password {
        return finish(&app, &call, attempt, &session);
    }
    let [new, again] =
        ["new-password", "new-password-again"].map(|name| sent.pairs.get(name).unwrap_or_default());
    let wrong = |text: &str| form(&app, attempt, &session, StatusCode::BAD_REQUEST, Some(text));
    if new != again {
        return wrong(DIFFERENT);
    }
    let new = Secret::new(new);
    if let Err(weak) = check_password(&new) {
        return wrong(&format!("This password cannot be taken: {weak}."));
    }
    match app
        .change_own_password(caller, call.clone(), Current::BeganWith, &new)
        .await
    {
        Ok(()) => finish(&app, &call, attempt, &session),
        Err(error) if error.status() == StatusCode::BAD_REQUEST => wrong(SAME),
        Err(error) => Err(error),
    }
}

/// The page; with what was wrong with the password that was chosen.
pub(super) fn form(
    app: &App,
    attempt: &Attempt,
    session: &SessionFacts,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, ApiError> {
    let ticket = app.ticket(&ChoosesPassword(Person::of(attempt, session)))?;
    let (wrong, described) = said(wrong);
    let body = format!(
        "{wrong}<p>Your password is a temporary one. Choose your own to go on.</p>\
         <form method=\"post\" action=\"{}{}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <label for=\"username\">Email</label>\
         <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" value=\"{}\" readonly>\
         <label for=\"new-password\">New password</label>\
         <input id=\"new-password\" name=\"new-password\" type=\"password\" autocomplete=\"new-password\" required \
         minlength=\"8\" maxlength=\"255\" aria-describedby=\"{described}\">\
         <p id=\"rule\">At least 8 characters, with a digit, a lower-case letter, an upper-case letter and a special character.</p>\
         <label for=\"new-password-again\">The same password again</label>\
         <input id=\"new-password-again\" name=\"new-password-again\" type=\"password\" autocomplete=\"new-password\" required \
         minlength=\"8\" maxlength=\"255\">\
         <button type=\"submit\">Change the password and sign in</button></form>",
        escape(&app.settings.public_url),
        super::NEW_PASSWORD,
        escape(&ticket),
        escape(&app.email_of(session.subject)),
    );
    let to = attempt.request.as_ref().and_then(ClientRequest::origin);
    Ok(page(status, "Choose a password", &body, to.as_deref()))
}
