//! `/account/passkeys`: a local user makes passkeys and takes them away, in the browser.
//!
//! A form counts with the token of the page of this session alone, as that of signing out; what the browser is asked stands in the page,
//! with a ticket that is good once. Too long after the sign-in the page shows the passkeys and how to sign in again.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use reeve_store::{PasskeyRow, PasskeysOfUser};
use reeve_types::{PasskeyName, Secret};

use super::account::{back, caller, code_list, sender, to_sign_in, token_field};
use super::page::{escape, page, page_with_script, redirect, said};
use super::request::Pairs;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::read_credentials;
use crate::own_passkeys::Answered;

const TITLE: &str = "Passkeys";

/// `GET`: which there are, and what can be done.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(caller) = caller(&app, &headers, &call) else {
        return Ok(to_sign_in(&app));
    };
    or_refused(
        &app,
        state(&app, &caller, &call, &headers, StatusCode::OK, None).await,
    )
}

/// `POST`: a passkey that was made, or one to take away.
pub(super) async fn step(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let pairs = Pairs::read(&read_credentials(request).await?);
    let here = || redirect(&format!("{}{}", app.settings.public_url, super::PASSKEYS));
    let Some(caller) = sender(&app, &headers, &call, &pairs) else {
        return Ok(here());
    };
    let outcome = match pairs.get("step") {
        Some("add") => add(&app, &caller, &call, &pairs).await,
        Some("remove") => remove(&app, &caller, &call, &pairs).await,
        _ => Ok(None),
    };
    let wrong = match outcome {
        Ok(Some(codes)) if !codes.is_empty() => return Ok(recovery_codes(&app, &codes)),
        Ok(_) => return Ok(here()),
        // In another window, or by a second click: what there is now is what is shown.
        Err(error) if error.status() == StatusCode::NOT_FOUND => return Ok(here()),
        Err(error) if error.status().is_client_error() => error,
        Err(error) => return Err(error),
    };
    let said = wrong.to_string();
    let shown = state(&app, &caller, &call, &headers, wrong.status(), Some(&said)).await;
    or_refused(&app, shown)
}

async fn add(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    pairs: &Pairs,
) -> Result<Option<Vec<Secret>>, ApiError> {
    let get = |name| pairs.get(name).unwrap_or_default();
    let name: PasskeyName = get("name").parse().map_err(NoName)?;
    let answered = Answered {
        ticket: get("ticket"),
        id: get("id"),
        client_data: get("clientDataJSON"),
        attestation_object: get("attestationObject"),
    };
    let made = app
        .create_passkey(caller.clone(), call.clone(), name, answered)
        .await?;
    Ok(Some(made.recovery_codes))
}

async fn remove(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    pairs: &Pairs,
) -> Result<Option<Vec<Secret>>, ApiError> {
    if let Ok(id) = pairs.get("passkey").unwrap_or_default().parse() {
        app.remove_own_passkey(caller.clone(), call.clone(), id).await?;
    }
    Ok(None)
}

/// 400: a name that no passkey can have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoName(reeve_types::InvalidName);

impl crate::error::Refusal for NoName {}

/// Of whoever can have none: why.
fn or_refused(app: &App, shown: Result<Response, ApiError>) -> Result<Response, ApiError> {
    match shown {
        Err(error) if error.status() == StatusCode::FORBIDDEN => {
            let (wrong, _) = said(Some(&error.to_string()));
            Ok(page(StatusCode::FORBIDDEN, TITLE, &(wrong + &back(app)), None))
        }
        shown => shown,
    }
}

/// The hidden part of a form of this page for a step.
fn hidden(headers: &HeaderMap, step: &str) -> String {
    format!(
        "{}<input type=\"hidden\" name=\"step\" value=\"{step}\">",
        token_field(headers),
    )
}

async fn state(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    headers: &HeaderMap,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, ApiError> {
    app.needed_relying_party()?;
    let of_user = app.own_passkeys(caller).await?;
    let fresh = app.is_fresh(caller, call.at).await?;
    let (wrong, described) = said(wrong);
    let mut body = format!(
        "{wrong}<p>A passkey is kept by your computer, your telephone, a manager of passwords or a security key, which asks you for a PIN, \
         a finger or a face. With it you sign in without your password; and with one set up, your password alone signs nobody in.</p>"
    );
    body.push_str(&list(app, headers, &of_user, fresh));
    if fresh {
        body.push_str(&add_form(app, caller, call, headers, described).await?);
    } else {
        body.push_str(&format!(
            "<p id=\"rule\">To make a passkey or take one away, sign in again: that is done within ten minutes of a sign-in.</p>\
             <a class=\"button\" href=\"{}{}?password\">Sign in again</a>",
            escape(&app.settings.public_url),
            super::SIGN_IN,
        ));
    }
    body.push_str(&back(app));
    Ok(page_with_script(app, status, TITLE, &body, None))
}

/// The passkeys that there are; each may be taken away where the sign-in is fresh.
fn list(app: &App, headers: &HeaderMap, of_user: &PasskeysOfUser, fresh: bool) -> String {
    if of_user.passkeys.is_empty() {
        return "<p id=\"none\">You have no passkey.</p>".to_owned();
    }
    let mut shown = String::from("<ul id=\"passkeys\">");
    for row in &of_user.passkeys {
        shown.push_str(&format!("<li>{}", described(row)));
        if fresh {
            shown.push_str(&format!(
                "<form method=\"post\" action=\"{}{}\">{}<input type=\"hidden\" name=\"passkey\" value=\"{}\">\
                 <button type=\"submit\">Take away {}</button></form>",
                escape(&app.settings.public_url),
                super::PASSKEYS,
                hidden(headers, "remove"),
                row.id,
                escape(row.name.as_str()),
            ));
        }
        shown.push_str("</li>");
    }
    shown.push_str(&format!(
        "</ul><dl><dt>Recovery codes left</dt><dd id=\"left\">{}</dd></dl>",
        of_user.recovery_codes
    ));
    shown
}

fn described(row: &PasskeyRow) -> String {
    let used = row
        .last_used
        .map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
    let place = if row.backed_up {
        "kept in more than one place"
    } else {
        "kept in one place"
    };
    let suspended = if row.suspended {
        "; it came with a restored backup and signs nobody in: ask an administrator"
    } else {
        ""
    };
    format!(
        "<strong>{}</strong>: made {}, {}, {place}{suspended}",
        escape(row.name.as_str()),
        escape(&row.created_at.to_string()),
        escape(&used),
    )
}

/// The form of a new one.
async fn add_form(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    headers: &HeaderMap,
    described: &str,
) -> Result<String, ApiError> {
    let asked = app.begin_passkey(caller, call).await?;
    Ok(format!(
        "<h2>Make another</h2><noscript><p>This needs a browser that runs scripts.</p></noscript>\
         <form method=\"post\" action=\"{}{}\" data-passkey=\"create\" data-options=\"{}\" hidden>{}\
         <input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <label for=\"name\">A name by which you know it</label>\
         <input id=\"name\" name=\"name\" type=\"text\" autocomplete=\"off\" required maxlength=\"50\" aria-describedby=\"{described}\">\
         <p id=\"rule\">For instance the device that keeps it. With your first one, ten recovery codes are shown, once, for the day on \
         which you have lost it.</p><p role=\"alert\" class=\"problem\" hidden></p>\
         <button type=\"submit\">Make a passkey</button></form>",
        escape(&app.settings.public_url),
        super::PASSKEYS,
        escape(&asked.options.to_string()),
        hidden(headers, "add"),
        escape(asked.ticket.expose()),
    ))
}

fn recovery_codes(app: &App, codes: &[Secret]) -> Response {
    let body = format!(
        "<p>Your passkey is set up. Keep these recovery codes where you find them without it, and nobody else does: they are not shown \
         again. Each signs you in once together with your password.</p>{}\
         <p>Should you lose them as well, whoever administers users can take your passkeys away.</p>{}",
        code_list(codes),
        back(app)
    );
    page(StatusCode::OK, "Your recovery codes", &body, None)
}
