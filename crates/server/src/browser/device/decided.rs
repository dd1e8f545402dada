//! `POST /device/decision`: a person says whether a device is signed in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use reeve_store::{AuditAction, AuditEntry, CredentialHash, DeviceDecision, Outcome, SubjectId};

use super::{OFF, is_on};
use crate::app::App;
use crate::browser::cookie;
use crate::browser::page::{page, problem};
use crate::browser::sent::{NOT_BEGUN, Sent};
use crate::browser::ticket::DecidesDevice;
use crate::caller::{Call, Caller};
use crate::error::ApiError;

const OVER: &str =
    "The device does not wait any more: ten minutes are over, or it was decided before. Begin again there.";
const NEITHER: &str = "Choose one of the two buttons of the page.";

/// Writes it down; the device learns of it when it asks again.
pub(in crate::browser) async fn decided(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some((_, ticket)) = sent.ticket::<DecidesDevice>(&app, &call) else {
        return Ok(problem(&app, &call, 400, NOT_BEGUN));
    };
    let signs_in = match sent.pairs.get("decision") {
        Some("sign-in") => true,
        Some("refuse") => false,
        _ => return Ok(problem(&app, &call, 400, NEITHER)),
    };
    if signs_in && !is_on(&app).await? {
        return Ok(problem(&app, &call, 404, OFF));
    }
    let Some((caller, session)) = app.still_signed_in(&ticket.person, &call).await? else {
        return Ok(problem(&app, &call, 400, NOT_BEGUN));
    };
    let decision = DeviceDecision {
        user_code: CredentialHash::new(&ticket.user_code),
        session: signs_in.then_some(session.id),
    };
    let entry = event(&call, &caller, &ticket, signs_in);
    let work = move |app: Arc<App>| async move {
        let granted = crate::audit::session_record();
        Ok(app.store.decide_device_code(&granted, decision, entry).await?)
    };
    let decided = if signs_in {
        app.change(caller.asker(), work).await?
    } else {
        app.revoke(caller.asker(), work).await?
    };
    if !signs_in {
        let why = "a device was refused that it was begun for";
        app.end_session_of(&call, caller.id, session.id, why).await?;
    }
    let mut response = match (decided, signs_in) {
        (false, _) => problem(&app, &call, 400, OVER),
        (true, true) => page(
            StatusCode::OK,
            "The device is signed in",
            "<p>It goes on by itself in a few seconds. You can close this window. <code>reeve logout</code> there ends its session.</p>",
            None,
        ),
        (true, false) => page(
            StatusCode::OK,
            "The device was refused",
            "<p>It gets nothing. If somebody sent you the code, tell your administrator: it was an attempt to act as you.</p>",
            None,
        ),
    };
    cookie::remove(response.headers_mut(), cookie::ATTEMPT);
    Ok(response)
}

/// What the audit log says of it: which device, and which session it has.
fn event(call: &Call, caller: &Caller, ticket: &DecidesDevice, signs_in: bool) -> AuditEntry {
    let mut entry = call.by(caller, AuditAction::SignIn, "users");
    if let SubjectId::User(id) = caller.id {
        entry = entry.about(id, &caller.name);
    }
    let (what, result) = match signs_in {
        true => ("signed in", Outcome::Succeeded),
        false => ("refused", Outcome::Failed),
    };
    entry.result = result;
    for (name, value) in [
        ("device", what.to_owned()),
        ("client", ticket.client.clone()),
        ("device_address", ticket.address.clone().unwrap_or_default()),
        ("device_asked", ticket.asked.to_string()),
        ("session", caller.session.to_string()),
    ] {
        entry.metadata.insert(name.to_owned(), value);
    }
    entry
}
