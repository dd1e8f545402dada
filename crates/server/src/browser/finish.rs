//! The end of a sign-in in a browser: whoever it was begun for gets what it asked for.

use axum::http::StatusCode;
use axum::response::Response;
use reeve_store::SessionFacts;
use url::Url;

use super::cookie;
use super::device;
use super::page::{escape, page, redirect};
use super::sent::keep;
use super::ticket::{Attempt, CODE_SECONDS, ClientRequest, Code, SHOWN_CODE_SECONDS, Unconfirmed};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::providers::random_text;

/// The page for the code of a device, a code for a command line, or a session of the browser itself under a cookie that it did not have before.
pub(super) fn finish(
    app: &App,
    call: &Call,
    attempt: &Attempt,
    session: &SessionFacts,
) -> Result<Response, ApiError> {
    if attempt.device {
        return device::form(app, attempt, session, StatusCode::OK, None);
    }
    let Some(request) = &attempt.request else {
        let (token, seconds) = app.security.rest_token(session, &app.directory(), call.at)?;
        let mut response = redirect(&format!("{}{}", app.settings.public_url, super::ACCOUNT));
        cookie::remove(response.headers_mut(), cookie::ATTEMPT);
        cookie::set(response.headers_mut(), cookie::SESSION, token.expose(), seconds);
        return Ok(response);
    };
    let seconds = if request.shown {
        SHOWN_CODE_SECONDS
    } else {
        CODE_SECONDS
    };
    let code = Code {
        id: random_text(&app.security.random)?,
        subject: session.subject,
        session: session.id,
        client: request.client.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        until: call.at.plus_seconds(seconds),
    };
    if request.shown {
        return confirm(app, attempt, request, code);
    }
    let mut url = Url::parse(&request.redirect_uri).map_err(ApiError::internal)?;
    let issuer = format!("{}{}", app.settings.public_url, super::REALM);
    url.query_pairs_mut()
        .append_pair("code", &app.ticket(&code)?)
        .append_pair("iss", &issuer);
    if let Some(state) = &request.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    let mut response = redirect(url.as_str());
    cookie::remove(response.headers_mut(), cookie::ATTEMPT);
    Ok(response)
}

/// A code that is carried by hand is shown after the person has seen who asks: somebody may have sent the link.
fn confirm(app: &App, attempt: &Attempt, request: &ClientRequest, code: Code) -> Result<Response, ApiError> {
    let who = app.email_of(code.subject);
    let ticket = app.ticket(&Unconfirmed {
        attempt: attempt.id.clone(),
        code,
    })?;
    let base = &app.settings.public_url;
    let body = format!(
        "<p>A command line asks to act as you. Go on only if you started it yourself, a moment ago.</p>\
         <dl><dt>Program</dt><dd>{}</dd><dt>Started at</dt><dd>{}</dd><dt>From the address</dt><dd>{}</dd>\
         <dt>You are</dt><dd>{}</dd></dl>\
         <form method=\"post\" action=\"{}{}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <button type=\"submit\">Yes, show the code</button></form>\
         <p><a href=\"{}{}\">No, I did not start it</a></p>",
        escape(&request.client),
        escape(&request.at.to_string()),
        escape(request.from.as_deref().unwrap_or("unknown")),
        escape(&who),
        escape(base),
        super::CODE,
        escape(&ticket),
        escape(base),
        super::SIGNED_OUT,
    );
    let mut response = page(StatusCode::OK, "Sign in a command line?", &body, None);
    // A provider of SAML was left under another cookie.
    keep(app, attempt, &mut response)?;
    Ok(response)
}
