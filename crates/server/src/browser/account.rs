//! Who is signed in in this browser, and signing out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_store::{AuditAction, SubjectId};
use reeve_types::Secret;
use sha2::{Digest, Sha256};
use url::Url;

use super::cookie;
use super::page::{escape, page, redirect};
use super::request::Pairs;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::read_credentials;

/// Whoever the cookie is of. It counts for these pages alone: the REST API takes no cookie, so no other site can use it.
pub(super) fn caller(app: &App, headers: &HeaderMap, call: &Call) -> Option<Caller> {
    let token = app
        .security
        .verify_rest(cookie::get(headers, cookie::SESSION)?, call.at)
        .ok()?;
    app.directory()
        .authenticate(token.subject, token.session, call.at)
        .filter(|caller| !caller.has_temporary_password)
}

/// What a form of ours sends along, and no other site knows.
pub(super) fn form_token(headers: &HeaderMap) -> String {
    let secret = cookie::get(headers, cookie::SESSION).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(
        Sha256::new()
            .chain_update(b"form:")
            .chain_update(secret)
            .finalize(),
    )
}

/// The hidden part of each form by which it is known as ours.
pub(super) fn token_field(headers: &HeaderMap) -> String {
    format!(
        "<input type=\"hidden\" name=\"token\" value=\"{}\">",
        escape(&form_token(headers))
    )
}

/// Whoever sent a form of a page of this session; nobody for one of another site, or of a session that has ended.
pub(super) fn sender(app: &App, headers: &HeaderMap, call: &Call, form: &Pairs) -> Option<Caller> {
    caller(app, headers, call).filter(|_| form.get("token") == Some(&form_token(headers)))
}

/// To the page of signing in.
pub(super) fn to_sign_in(app: &App) -> Response {
    redirect(&format!("{}{}", app.settings.public_url, super::SIGN_IN))
}

/// The way back to the page of the account.
pub(super) fn back(app: &App) -> String {
    let to = escape(&app.settings.public_url);
    format!("<p><a href=\"{to}{}\">Your account</a></p>", super::ACCOUNT)
}

/// Recovery codes, as a list.
pub(super) fn code_list(codes: &[Secret]) -> String {
    let codes: String = codes
        .iter()
        .map(|code| format!("<li><code>{}</code></li>", escape(code.expose())))
        .collect();
    format!("<ul id=\"recovery-codes\">{codes}</ul>")
}

/// `GET /account`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let base = &app.settings.public_url;
    let Some(caller) = caller(&app, &headers, &call) else {
        return Ok(to_sign_in(&app));
    };
    let groups: Vec<_> = caller.principal.groups.iter().map(ToString::to_string).collect();
    let groups = if groups.is_empty() {
        "none".to_owned()
    } else {
        groups.join(", ")
    };
    let posix = app.directory().posix(&caller).map(|(posix, _)| posix.to_string());
    let base = escape(base);
    let codes = match app.own_authenticator(&caller).await {
        Ok(_) => format!(
            "<p><a href=\"{base}{}\">Passkeys</a></p><p><a href=\"{base}{}\">One-time codes</a></p>",
            super::PASSKEYS,
            super::AUTHENTICATOR
        ),
        // Whoever comes by an identity provider has a second factor there.
        Err(error) if error.status() == StatusCode::FORBIDDEN => String::new(),
        Err(error) => return Err(error),
    };
    let body = format!(
        "<dl><dt>You are</dt><dd id=\"user\">{}</dd><dt>Groups of this sign-in</dt><dd id=\"groups\">{}</dd>\
         <dt>Numbers in containers (uid/gid/supplementary groups)</dt><dd id=\"posix\">{}</dd></dl>{codes}\
         <form method=\"post\" action=\"{}{}\">{}<button type=\"submit\">Sign out</button></form>",
        escape(&caller.name),
        escape(&groups),
        escape(posix.as_deref().unwrap_or("none")),
        base,
        super::ACCOUNT,
        token_field(&headers),
    );
    // The form ends where signing out ends.
    let end = app.security_settings().await?.logout_redirect_uri;
    let end = end.and_then(|uri| Url::parse(&uri).ok());
    let end = end.map(|uri| uri.origin().ascii_serialization());
    Ok(page(StatusCode::OK, "Your account", &body, end.as_deref()))
}

/// `POST /account`: signs out.
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let pairs = Pairs::read(&read_credentials(request).await?);
    let base = app.settings.public_url.clone();
    let Some(caller) = caller(&app, &headers, &call) else {
        return Ok(redirect(&format!("{base}{}", super::SIGNED_OUT)));
    };
    if pairs.get("token") != Some(&form_token(&headers)) {
        return Ok(redirect(&format!("{base}{}", super::ACCOUNT)));
    }
    app.revoke(caller.asker(), move |app| async move {
        let granted = crate::audit::session_record();
        let mut entry = call.event(AuditAction::SignOut, "users");
        entry.subject.clone_from(&caller.name);
        if let SubjectId::User(id) = caller.id {
            entry = entry.about(id, &caller.name);
        }
        Ok(app
            .store
            .end_session(&granted, caller.id, caller.session, entry)
            .await?)
    })
    .await?;
    let end = app.security_settings().await?.logout_redirect_uri;
    let mut response = redirect(&end.unwrap_or_else(|| format!("{base}{}", super::SIGNED_OUT)));
    cookie::remove(response.headers_mut(), cookie::SESSION);
    Ok(response)
}

/// `GET …/logout`: says so, and does nothing: another site may have sent the person here. `redirect_uri` is not followed.
pub(super) async fn signed_out(
    State(app): State<Arc<App>>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let base = escape(&app.settings.public_url);
    let still = caller(&app, &headers, &call).is_some();
    let (title, text, to, link) = if still {
        (
            "You are still signed in",
            "Sign out on the page of your account.",
            super::ACCOUNT,
            "Your account",
        )
    } else {
        (
            "You are signed out",
            "You may still be signed in at your organization's identity provider: sign out there as well on a computer that others use.",
            super::SIGN_IN,
            "Sign in again",
        )
    };
    let body = format!("<p>{text}</p><a class=\"button\" href=\"{base}{to}\">{link}</a>");
    Ok(page(StatusCode::OK, title, &body, None))
}
