//! The sign-in page, for a command line or for the browser itself.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use reeve_types::{IdpAlias, Timestamp};
use serde_json::json;

use super::page::{escape, page_with_script, problem, redirect};
use super::passkey_form;
use super::request::Pairs;
use super::sent::keep;
use super::ticket::{ATTEMPT_SECONDS, Attempt, ClientRequest};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;

/// What asks for the page although everybody is sent to a provider.
const PASSWORD: &str = "password";
/// What begins a request that was pushed (RFC 9126).
const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// `GET …/auth`.
pub(super) async fn for_client(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    let request = match pairs.get("request_uri") {
        Some(uri) => uri
            .strip_prefix(PUSHED)
            .and_then(|sealed| app.opened::<ClientRequest>(sealed, call.at))
            .ok_or(
                "The link is not one of this installation, or older than ten minutes. Run the command again.",
            ),
        None => ClientRequest::read(&app, &call, &pairs, false),
    };
    match request {
        Ok(request) => {
            let attempt = Attempt {
                request: Some(request),
                ..Attempt::begun(&app, call.at)?
            };
            begin(&app, attempt, &pairs, call.at).await
        }
        Err(text) => Ok(problem(&app, &call, 400, text)),
    }
}

/// `GET /sign-in`.
pub(super) async fn alone(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(query.unwrap_or_default().as_bytes());
    begin(&app, Attempt::begun(&app, call.at)?, &pairs, call.at).await
}

/// `POST …/ext/par/request`: a command line whose code will be shown says so itself, so that the page can name it.
pub(super) async fn pushed(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let pairs = Pairs::read(&read_credentials(request).await?);
    Ok(match ClientRequest::read(&app, &call, &pairs, true) {
        Ok(request) => {
            let uri = format!("{PUSHED}{}", app.ticket(&request)?);
            let body = json!({"request_uri": uri, "expires_in": ATTEMPT_SECONDS});
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Err(text) => {
            let body = json!({"error": "invalid_request", "error_description": text});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    })
}

/// The page of a sign-in that begins, or the way to the provider to which everybody is sent.
pub(super) async fn begin(
    app: &App,
    attempt: Attempt,
    pairs: &Pairs,
    now: Timestamp,
) -> Result<Response, ApiError> {
    // Whoever has a password here asks for the page by name.
    if pairs.get(PASSWORD).is_none()
        && let Some(alias) = sent_to(app).await?
    {
        let base = &app.settings.public_url;
        let to = format!(
            "{base}{}/broker/{alias}/login?attempt={}",
            super::REALM,
            attempt.id
        );
        let mut response = redirect(&to);
        keep(app, &attempt, &mut response)?;
        return Ok(response);
    }
    form(app, &attempt, now, StatusCode::OK, None).await
}

/// The provider to which everybody is sent at once: where an administrator set one, and it is still there.
async fn sent_to(app: &App) -> Result<Option<IdpAlias>, ApiError> {
    let setting = app.security_settings().await?.auto_redirect;
    let Some(alias) = setting.idp_alias.filter(|_| setting.enabled) else {
        return Ok(None);
    };
    Ok(app.idp(&alias).await?.map(|_| alias))
}

/// The page; with what was wrong with a password.
pub(super) async fn form(
    app: &App,
    attempt: &Attempt,
    now: Timestamp,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, ApiError> {
    let (base, id) = (escape(&app.settings.public_url), escape(&attempt.id));
    let mut body = String::new();
    if let Some(wrong) = wrong {
        body.push_str(&format!(
            "<p role=\"alert\" class=\"problem\">{}</p>",
            escape(wrong)
        ));
    }
    for idp in app.idps().await? {
        let alias = escape(idp.alias().as_str());
        body.push_str(&format!(
            "<a class=\"button\" href=\"{base}{}/broker/{alias}/login?attempt={id}\">Sign in with {alias}</a>",
            super::REALM
        ));
    }
    body.push_str(&format!(
        "<form method=\"post\" action=\"{base}{}\"><input type=\"hidden\" name=\"attempt\" value=\"{id}\">\
         <label for=\"username\">Email</label>\
         <input id=\"username\" name=\"username\" type=\"email\" autocomplete=\"username\" required maxlength=\"254\">\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"255\">\
         <label for=\"code\">One-time code, if you have an authenticator</label>\
         <input id=\"code\" name=\"code\" type=\"text\" inputmode=\"text\" autocomplete=\"one-time-code\" maxlength=\"64\">\
         <button type=\"submit\">Sign in with a password</button></form>",
        super::AUTHENTICATE
    ));
    body.push_str(&passkey_form::form(app, attempt, now)?);
    let to = attempt.request.as_ref().and_then(ClientRequest::origin);
    let mut response = page_with_script(app, status, "Sign in", &body, to.as_deref());
    keep(app, attempt, &mut response)?;
    Ok(response)
}
