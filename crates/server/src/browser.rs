//! Signing in with a browser: the realm's addresses (control-plane 1.2), and their pages.
//!
//! **What is promised.** What a browser began can only be finished in the same browser, once, within ten minutes: the attempt is
//! sealed in a cookie that no script and no other site can read or send with a form, and each is used once whichever process is
//! asked. (One cookie does come with a form of another site, that in which a provider of SAML answers; `browser/saml.rs` says why it is
//! good for nothing else.) Nothing is kept for whoever is not known yet. A code for a command line is good for a minute, once, for whoever has the
//! verifier; shown twice it ends its session. A device waits for a person ten minutes (`browser/device.rs`). Pages have no script in them, do everything but passkeys without one, and say nothing of which check failed: the log does, under the
//! reference that the page shows.

mod account;
mod authenticator;
mod authorize;
mod broker;
mod code;
mod code_flow;
mod cookie;
mod device;
mod finish;
mod local;
mod new_password;
mod page;
mod passkey;
mod passkey_form;
mod passkeys;
mod person;
mod qr;
mod request;
mod saml;
mod script;
mod seen;
mod sent;
mod signed_out;
mod spoken;
mod ticket;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reeve_api::realm::DEVICE_PATH;
use reeve_api::token::TokenOperation;
use reeve_api::{Operation, operation::Method};

use crate::app::App;
use crate::caller::{Call, source};
use crate::connections::hold;
use crate::load::place_of_origin;
use crate::middleware::Begun;

/// The addresses below the realm's.
const REALM: &str = reeve_api::realm::ISSUER_PATH;
/// Where a command line sends people.
const AUTHORIZE: &str = "/auth/realms/runai/protocol/openid-connect/auth";
/// Where a local user's password goes.
const AUTHENTICATE: &str = "/auth/realms/runai/login-actions/authenticate";
/// Where whoever signed in with a temporary password chooses another.
const NEW_PASSWORD: &str = "/auth/realms/runai/login-actions/required-action";
const TOKEN: &str = "/auth/realms/runai/protocol/openid-connect/token";
const PUSHED: &str = "/auth/realms/runai/protocol/openid-connect/ext/par/request";
const SIGNED_OUT: &str = "/auth/realms/runai/protocol/openid-connect/logout";
const BROKER: &str = "/auth/realms/runai/broker/{alias}/login";
const CALLBACK: &str = "/auth/realms/runai/broker/{alias}/endpoint";
/// Where a provider says that somebody signed out there.
const PROVIDER_LOGOUT: &str = "/auth/realms/runai/broker/{alias}/backchannel-logout";
/// Where an administrator looks at what a provider says.
const TEST: &str = "/auth/realms/runai/broker/{alias}/test";
/// Our metadata, for the administrator of a provider of SAML.
const DESCRIPTOR: &str = "/auth/realms/runai/broker/{alias}/endpoint/descriptor";
const CODE: &str = "/oauth-code";
/// Where people type the code that a device shows: short, since it is typed as well.
const DEVICE: &str = "/device";
const DEVICE_CODE: &str = "/device/code";
const DEVICE_DECISION: &str = "/device/decision";
const ACCOUNT: &str = "/account";
const AUTHENTICATOR: &str = "/account/authenticator";
const PASSKEYS: &str = "/account/passkeys";
/// Where a passkey goes, as a password does.
const PASSKEY: &str = "/auth/realms/runai/login-actions/passkey";
/// The script of passkeys.
const SCRIPT: &str = "/passkeys.js";
const SIGN_IN: &str = "/sign-in";

/// An operation for the audit log's words: these addresses have no row in the table, since they are no REST API.
const fn page(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation {
        name,
        method,
        path,
        ..*TokenOperation::GrantToken.row()
    }
}

static AUTHORIZE_PAGE: Operation = page("sign_in_page", Method::Get, AUTHORIZE);
static SIGN_IN_PAGE: Operation = page("sign_in_page", Method::Get, SIGN_IN);
static AUTHENTICATE_PAGE: Operation = page("sign_in_with_password", Method::Post, AUTHENTICATE);
static NEW_PASSWORD_PAGE: Operation = page("choose_password", Method::Post, NEW_PASSWORD);
static TOKEN_ROUTE: Operation = page("redeem_code", Method::Post, TOKEN);
static PUSHED_ROUTE: Operation = page("push_authorization_request", Method::Post, PUSHED);
static SIGNED_OUT_PAGE: Operation = page("signed_out_page", Method::Get, SIGNED_OUT);
static BROKER_PAGE: Operation = page("sign_in_with_provider", Method::Get, BROKER);
static CALLBACK_PAGE: Operation = page("sign_in_callback", Method::Get, CALLBACK);
static PROVIDER_LOGOUT_ROUTE: Operation = page("identity_provider_logout", Method::Post, PROVIDER_LOGOUT);
static TEST_PAGE: Operation = page("identity_provider_test", Method::Get, TEST);
static RESPONSE_PAGE: Operation = page("sign_in_response", Method::Post, CALLBACK);
static DESCRIPTOR_PAGE: Operation = page("saml_metadata", Method::Get, DESCRIPTOR);
static DEVICE_ROUTE: Operation = page("begin_device", Method::Post, DEVICE_PATH);
static DEVICE_PAGE: Operation = page("device_page", Method::Get, DEVICE);
static DEVICE_CODE_PAGE: Operation = page("find_device", Method::Post, DEVICE_CODE);
static DEVICE_DECISION_PAGE: Operation = page("decide_device", Method::Post, DEVICE_DECISION);
static CODE_PAGE: Operation = page("show_code", Method::Post, CODE);
static ACCOUNT_PAGE: Operation = page("account_page", Method::Get, ACCOUNT);
static AUTHENTICATOR_PAGE: Operation = page("authenticator_page", Method::Get, AUTHENTICATOR);
static AUTHENTICATOR_STEP: Operation = page("set_up_authenticator", Method::Post, AUTHENTICATOR);
static PASSKEYS_PAGE: Operation = page("passkeys_page", Method::Get, PASSKEYS);
static PASSKEYS_STEP: Operation = page("change_passkeys", Method::Post, PASSKEYS);
static PASSKEY_PAGE: Operation = page("sign_in_with_passkey", Method::Post, PASSKEY);
static SCRIPT_FILE: Operation = page("passkey_script", Method::Get, SCRIPT);
static SIGN_OUT_PAGE: Operation = page("sign_out", Method::Post, ACCOUNT);

/// The addresses.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = |operation: &'static Operation| from_fn_with_state((Arc::clone(app), operation), guard);
    Router::new()
        .route(
            AUTHORIZE,
            get(authorize::for_client).layer(guard(&AUTHORIZE_PAGE)),
        )
        .route(SIGN_IN, get(authorize::alone).layer(guard(&SIGN_IN_PAGE)))
        .route(AUTHENTICATE, post(local::handle).layer(guard(&AUTHENTICATE_PAGE)))
        .route(
            NEW_PASSWORD,
            post(new_password::handle).layer(guard(&NEW_PASSWORD_PAGE)),
        )
        .route(TOKEN, post(token::handle).layer(guard(&TOKEN_ROUTE)))
        .route(PUSHED, post(authorize::pushed).layer(guard(&PUSHED_ROUTE)))
        .route(
            SIGNED_OUT,
            get(account::signed_out).layer(guard(&SIGNED_OUT_PAGE)),
        )
        .route(BROKER, get(broker::begin).layer(guard(&BROKER_PAGE)))
        .route(CALLBACK, get(broker::finish).layer(guard(&CALLBACK_PAGE)))
        .route(
            PROVIDER_LOGOUT,
            post(signed_out::handle).layer(guard(&PROVIDER_LOGOUT_ROUTE)),
        )
        .route(TEST, get(broker::test).layer(guard(&TEST_PAGE)))
        .route(CALLBACK, post(saml::finish).layer(guard(&RESPONSE_PAGE)))
        .route(DESCRIPTOR, get(saml::metadata).layer(guard(&DESCRIPTOR_PAGE)))
        .route(CODE, post(code::show).layer(guard(&CODE_PAGE)))
        .route(DEVICE_PATH, post(device::begin).layer(guard(&DEVICE_ROUTE)))
        .route(DEVICE, get(device::page).layer(guard(&DEVICE_PAGE)))
        .route(DEVICE_CODE, post(device::typed).layer(guard(&DEVICE_CODE_PAGE)))
        .route(
            DEVICE_DECISION,
            post(device::decided).layer(guard(&DEVICE_DECISION_PAGE)),
        )
        .route(ACCOUNT, get(account::show).layer(guard(&ACCOUNT_PAGE)))
        .route(ACCOUNT, post(account::sign_out).layer(guard(&SIGN_OUT_PAGE)))
        .route(
            AUTHENTICATOR,
            get(authenticator::show).layer(guard(&AUTHENTICATOR_PAGE)),
        )
        .route(
            AUTHENTICATOR,
            post(authenticator::step).layer(guard(&AUTHENTICATOR_STEP)),
        )
        .route(PASSKEYS, get(passkeys::show).layer(guard(&PASSKEYS_PAGE)))
        .route(PASSKEYS, post(passkeys::step).layer(guard(&PASSKEYS_STEP)))
        .route(PASSKEY, post(passkey::handle).layer(guard(&PASSKEY_PAGE)))
        .route(SCRIPT, get(script::handle).layer(guard(&SCRIPT_FILE)))
}

/// What happens around each: a request id, a place, the state of other processes, panics, metrics, log.
async fn guard(
    State((app, operation)): State<(Arc<App>, &'static Operation)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let begun = match Begun::new(&app, operation.name) {
        Ok(begun) => begun,
        Err(error) => return error.into_response(),
    };
    let call = Call {
        id: begun.id.clone(),
        source: source(request.extensions()),
        operation,
        at: app.clock.now(),
    };
    let place = app.load.sign_ins.enter(&place_of_origin(request.extensions()));
    let (response, place) = match (place, app.up_to_date().await) {
        (Ok(place), Ok(())) => {
            request.extensions_mut().insert(call);
            (begun.answer(next.run(request)).await, Some(place))
        }
        (Err(error), _) | (_, Err(error)) => (begun.refuse(error), None),
    };
    hold(begun.end(&app, response), place)
}
