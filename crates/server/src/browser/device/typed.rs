//! `POST /device/code`: the code that a device shows, typed by a person who has just signed in; and the page before and after it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_identity::UserCode;
use reeve_store::{
    AuditAction, Outcome, SessionFacts, SubjectId, TypedUserCode, UserCodeFound, WaitingDevice,
};

use super::{OFF, is_on, network_of, user_hash};
use crate::app::App;
use crate::browser::page::{escape, page, problem, said};
use crate::browser::sent::{NOT_BEGUN, Sent, keep};
use crate::browser::ticket::{Attempt, DecidesDevice, Person, TypesCode};
use crate::browser::{DEVICE_CODE, DEVICE_DECISION};
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::failures::Kind;

const WRONG: &str =
    "No device waits with this code. Type it as the device shows it now; it is good for ten minutes.";
const RESTS: &str = "Too many codes were wrong. Wait a quarter of an hour, then begin again.";
const ENDED: &str = "You were signed out meanwhile. Begin again.";

/// The page that asks for the code; with what was wrong with the one before.
pub(in crate::browser) fn form(
    app: &App,
    attempt: &Attempt,
    session: &SessionFacts,
    status: StatusCode,
    wrong: Option<&str>,
) -> Result<Response, ApiError> {
    let ticket = app.ticket(&TypesCode(Person::of(attempt, session)))?;
    let (wrong, described) = said(wrong);
    let body = format!(
        "{wrong}<p>You are signed in as {}.</p>\
         <form method=\"post\" action=\"{}{DEVICE_CODE}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <label for=\"user-code\">Code that your device shows</label>\
         <input id=\"user-code\" name=\"user-code\" type=\"text\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" \
         required maxlength=\"32\" aria-describedby=\"{described}\">\
         <p id=\"rule\">Eight letters. Type only a code that you see on a device in front of you: whoever sends you a code wants to act \
         as you.</p>\
         <button type=\"submit\">Go on</button></form>",
        escape(&app.email_of(session.subject)),
        escape(&app.settings.public_url),
        escape(&ticket),
    );
    let mut response = page(status, "Sign in a device", &body, None);
    // A provider of SAML was left under another cookie.
    keep(app, attempt, &mut response)?;
    Ok(response)
}

/// Looks which device it is, and asks.
pub(in crate::browser) async fn typed(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some((attempt, TypesCode(person))) = sent.ticket(&app, &call) else {
        return Ok(problem(&app, &call, 400, NOT_BEGUN));
    };
    if !is_on(&app).await? {
        return Ok(problem(&app, &call, 404, OFF));
    }
    let Some((caller, session)) = app.still_signed_in(&person, &call).await? else {
        return Ok(problem(&app, &call, 400, ENDED));
    };
    let SubjectId::User(by) = caller.id else {
        return Ok(problem(&app, &call, 400, ENDED));
    };
    let wrong = || form(&app, attempt, &session, StatusCode::BAD_REQUEST, Some(WRONG));
    let Some(code) = UserCode::typed(sent.pairs.get("user-code").unwrap_or_default()) else {
        return wrong();
    };
    let user_code = user_hash(&app, &code);
    let typed = TypedUserCode {
        user_code: user_code.clone(),
        by,
        network: network_of(&call),
        at: call.at,
    };
    let granted = crate::audit::session_record();
    match app.store.find_user_code(&granted, typed).await? {
        UserCodeFound::Device(device) => {
            let ticket = DecidesDevice {
                person,
                user_code: user_code.as_str().to_owned(),
                client: device.client.clone(),
                address: device.address.clone(),
                asked: device.at,
            };
            Ok(question(&app, &caller, &code, &device, &app.ticket(&ticket)?))
        }
        UserCodeFound::None => {
            note_wrong(&app, &call, &caller);
            wrong()
        }
        UserCodeFound::Rests => {
            note_wrong(&app, &call, &caller);
            Ok(problem(&app, &call, 429, RESTS))
        }
    }
}

/// In the audit log, summed up: somebody guesses.
fn note_wrong(app: &App, call: &Call, caller: &Caller) {
    let mut entry = call.by(caller, AuditAction::SignIn, "users");
    entry.result = Outcome::Failed;
    entry.http_status_code = 400;
    entry
        .metadata
        .insert("device".to_owned(), "wrong user code".to_owned());
    app.failures.note(Kind::SignIn, entry);
}

/// Who asks, from where and since when: what somebody who was sent a code can see to be another's (RFC 8628, sections 5.4 and 5.5).
fn question(app: &App, caller: &Caller, code: &UserCode, device: &WaitingDevice, ticket: &str) -> Response {
    let body = format!(
        "<p>A device asks to act as you, with all that you may do. Say yes only if it is yours, in front of you, shows exactly this code, \
         and you started the sign-in there yourself, a moment ago. If somebody sent you the code, or asked you to type it, say no.</p>\
         <dl><dt>Code</dt><dd><code id=\"user-code\">{}</code></dd><dt>Program</dt><dd>{}</dd><dt>Asked at</dt><dd>{}</dd>\
         <dt>From the address</dt><dd>{}</dd><dt>You are</dt><dd>{}</dd></dl>\
         <form method=\"post\" action=\"{}{DEVICE_DECISION}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <button type=\"submit\" name=\"decision\" value=\"refuse\">No, refuse it</button>\
         <button type=\"submit\" name=\"decision\" value=\"sign-in\">Yes, sign this device in</button></form>",
        escape(&code.shown()),
        escape(&device.client),
        escape(&device.at.to_string()),
        escape(device.address.as_deref().unwrap_or("unknown")),
        escape(&caller.name),
        escape(&app.settings.public_url),
        escape(ticket),
    );
    page(StatusCode::OK, "Sign in this device?", &body, None)
}
