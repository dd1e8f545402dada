//! `/account/authenticator`: a local user sets an authenticator up, or takes it away, in the browser.
//!
//! What it is given is shown as a QR code and as text until its first code was confirmed, and recovery codes once. Nothing here is kept by
//! the browser (`no-store`), and a form counts with the token of the page of this session alone, as that of signing out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use reeve_store::AuthenticatorRow;
use reeve_types::Secret;

use super::account::{back, caller, code_list, sender, to_sign_in, token_field};
use super::page::{escape, page, redirect, said};
use super::qr;
use super::request::Pairs;
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;
use crate::own_authenticator::Setup;

const TITLE: &str = "One-time codes";

/// `GET`: whether there is one, and what can be done.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(caller) = caller(&app, &headers, &call) else {
        return Ok(to_sign_in(&app));
    };
    match app.own_authenticator(&caller).await {
        Ok(kept) => Ok(state(&app, &headers, kept, StatusCode::OK, None)),
        Err(error) if error.status() == StatusCode::FORBIDDEN => Ok(refused(&app, &error)),
        Err(error) => Err(error),
    }
}

/// `POST`: a step of it.
pub(super) async fn step(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let pairs = Pairs::read(&read_credentials(request).await?);
    let here = || redirect(&format!("{}{}", app.settings.public_url, super::AUTHENTICATOR));
    let Some(caller) = sender(&app, &headers, &call, &pairs) else {
        return Ok(here());
    };
    let code = Secret::new(pairs.get("code").unwrap_or_default());
    let outcome = match pairs.get("step") {
        Some("begin") => {
            let begun = app.begin_authenticator(caller.clone(), call).await;
            match begun {
                Ok(setup) => set_up(&app, &headers, &setup, StatusCode::OK, None),
                Err(error) => Err(error),
            }
        }
        Some("confirm") => match app.confirm_authenticator(caller.clone(), call, &code).await {
            Ok(codes) => Ok(recovery_codes(&app, &codes)),
            Err(error) if error.status() == StatusCode::BAD_REQUEST => {
                let setup = app.waiting_authenticator(&caller).await?;
                let said = Some(error.to_string());
                set_up(&app, &headers, &setup, StatusCode::BAD_REQUEST, said.as_deref())
            }
            Err(error) => Err(error),
        },
        Some("remove") => match app.remove_own_authenticator(caller.clone(), call, &code).await {
            Ok(()) => Ok(here()),
            Err(error)
                if matches!(
                    error.status(),
                    StatusCode::BAD_REQUEST | StatusCode::TOO_MANY_REQUESTS
                ) =>
            {
                let kept = app.own_authenticator(&caller).await?;
                let said = Some(error.to_string());
                Ok(state(&app, &headers, kept, error.status(), said.as_deref()))
            }
            Err(error) => Err(error),
        },
        _ => Ok(here()),
    };
    match outcome {
        // In another window, or by a second click: what there is now is what is shown.
        Err(error) if error.status() == StatusCode::CONFLICT => Ok(here()),
        Err(error) if error.status() == StatusCode::FORBIDDEN => Ok(refused(&app, &error)),
        outcome => outcome,
    }
}

/// Of whoever can have none.
fn refused(app: &App, error: &ApiError) -> Response {
    let body = format!(
        "<p role=\"alert\" class=\"problem\">{}</p>{}",
        escape(&error.to_string()),
        back(app)
    );
    page(StatusCode::FORBIDDEN, TITLE, &body, None)
}

/// The beginning of a form of this page for a step.
fn form(app: &App, headers: &HeaderMap, step: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{}{}\">{}<input type=\"hidden\" name=\"step\" value=\"{step}\">",
        escape(&app.settings.public_url),
        super::AUTHENTICATOR,
        token_field(headers),
    )
}

fn state(
    app: &App,
    headers: &HeaderMap,
    kept: Option<AuthenticatorRow>,
    status: StatusCode,
    wrong: Option<&str>,
) -> Response {
    let (wrong, described) = said(wrong);
    let body = match kept.filter(|kept| kept.confirmed) {
        Some(kept) => format!(
            "{wrong}<p>A one-time code is asked for beside your password.</p>\
             <dl><dt>Since</dt><dd id=\"since\">{}</dd><dt>Recovery codes left</dt><dd id=\"left\">{}</dd></dl>\
             <h2>Take it away</h2><p id=\"rule\">To have a new authenticator or new recovery codes, take this one away and set up another. \
             Give the code that it shows now, or a recovery code. Without either, whoever administers users can take it away.</p>\
             {}<label for=\"code\">Code</label>\
             <input id=\"code\" name=\"code\" type=\"text\" autocomplete=\"one-time-code\" required maxlength=\"64\" \
             aria-describedby=\"{described}\"><button type=\"submit\">Take the authenticator away</button></form>{}",
            escape(&kept.created_at.to_string()),
            kept.recovery_codes,
            form(app, headers, "remove"),
            back(app),
        ),
        None => format!(
            "{wrong}<p>An authenticator, an app on your telephone or a password manager, shows another code every thirty seconds. With one \
             set up, your password alone signs nobody in.</p>{}<button type=\"submit\">Set up an authenticator</button></form>{}",
            form(app, headers, "begin"),
            back(app),
        ),
    };
    page(status, TITLE, &body, None)
}

/// What the authenticator is given.
fn set_up(
    app: &App,
    headers: &HeaderMap,
    setup: &Setup,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, ApiError> {
    let (wrong, described) = said(wrong);
    let body = format!(
        "{wrong}<ol><li>Scan this with your authenticator, or type the secret below into it.</li><li>Type the code that it shows.</li></ol>\
         {}<dl><dt>Secret</dt><dd><code id=\"secret\">{}</code></dd></dl>\
         {}<label for=\"code\">Code that it shows now</label>\
         <input id=\"code\" name=\"code\" type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required maxlength=\"16\" \
         aria-describedby=\"{described}\"><p id=\"rule\">From then on a code is asked for beside your password, and ten recovery codes are \
         shown, once: each signs you in in the place of a code, should you lose the authenticator.</p>\
         <button type=\"submit\">Confirm</button></form>{}",
        qr::svg(
            setup.address.expose(),
            "QR code for your authenticator; the secret below says the same"
        )?,
        escape(&grouped(setup.secret.expose())),
        form(app, headers, "confirm"),
        back(app),
    );
    Ok(page(status, "Set up an authenticator", &body, None))
}

/// In fours, as people read it; authenticators take it so.
fn grouped(secret: &str) -> String {
    let mut shown = String::with_capacity(secret.len() * 5 / 4);
    for (at, letter) in secret.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push(' ');
        }
        shown.push(letter);
    }
    shown
}

fn recovery_codes(app: &App, codes: &[Secret]) -> Response {
    let body = format!(
        "<p>Your authenticator is set up. Keep these recovery codes where you find them without it, and nobody else does: they are not \
         shown again. Each signs you in once in the place of a code.</p>{}\
         <p>Should you lose them as well, whoever administers users can take the authenticator away.</p>{}",
        code_list(codes),
        back(app)
    );
    page(StatusCode::OK, "Your recovery codes", &body, None)
}
