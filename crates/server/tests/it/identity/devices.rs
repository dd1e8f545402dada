//! Devices that a person signs in with a browser elsewhere (RFC 8628).

use std::sync::Arc;

use axum::http::Method;
use reeve_store::{AuditAction, Outcome, PAUSE_SECONDS, WRONG_USER_CODES, WRONG_USER_CODES_SECONDS};
use reeve_testkit::own_postgres;
use reeve_types::{Clock, Timestamp};
use serde_json::{Value, json};

use super::visitor::{REALM, Visitor, hidden, server, set_up};
use crate::audit::events;
use crate::database::holds;
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, OrganizationFixture, Server};

const SETTING: &str = "/api/v1/security/settings/deviceAuthorization";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub(super) async fn turn(server: &Server, on: bool) {
    let body = json!({ "enabled": on }).to_string();
    server
        .call(&server.admin, Method::PUT, SETTING, body)
        .await
        .is(200);
}

async fn begin(server: &Server) -> Answer {
    let path = format!("{REALM}/protocol/openid-connect/auth/device");
    Visitor::new(server)
        .post(&path, &[("client_id", "runai-cli")])
        .await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The code that the device keeps, and the one that it shows.
pub(super) async fn begun(server: &Server) -> (String, String) {
    let given = begin(server).await.is(200);
    (text(&given["device_code"]), text(&given["user_code"]))
}

async fn ask_as(server: &Server, client: &str, device_code: &str) -> Answer {
    let form = [
        ("grant_type", GRANT),
        ("client_id", client),
        ("device_code", device_code),
    ];
    let path = format!("{REALM}/protocol/openid-connect/token");
    Visitor::new(server).post(&path, &form).await
}

/// The tokens, or the standard's word for why there are none.
pub(super) async fn ask(server: &Server, device_code: &str) -> Result<Value, String> {
    let answer = ask_as(server, "runai-cli", device_code).await;
    match answer.status.as_u16() {
        200 => Ok(answer.json()),
        _ => Err(text(&answer.is(400)["error"])),
    }
}

async fn is_said(server: &Server, device_code: &str, error: &str) {
    assert_eq!(ask(server, device_code).await, Err(error.to_owned()));
}

/// Somebody with a browser who signed in at `/device` and is asked for the code.
async fn person(server: &Server) -> (Visitor<'_>, Answer) {
    let mut visitor = Visitor::new(server);
    let page = visitor.types_password("/device", ADMIN, ADMIN_PASSWORD).await;
    (visitor, page)
}

pub(super) async fn types(visitor: &mut Visitor<'_>, page: &Answer, code: &str) -> Answer {
    let ticket = hidden(&page.text, "ticket");
    let form = [("ticket", ticket.as_str()), ("user-code", code)];
    visitor.post("/device/code", &form).await
}

pub(super) async fn decides(visitor: &mut Visitor<'_>, page: &Answer, decision: &str) -> Answer {
    let ticket = hidden(&page.text, "ticket");
    let form = [("ticket", ticket.as_str()), ("decision", decision)];
    visitor.post("/device/decision", &form).await
}

/// A person who says yes to this code.
async fn signs_in(server: &Server, code: &str) {
    let (mut visitor, page) = person(server).await;
    let question = types(&mut visitor, &page, code).await;
    let done = decides(&mut visitor, &question, "sign-in").await;
    assert!(done.text.contains("The device is signed in"), "{}", done.text);
}

/// Planted faults: the setting is not asked (`device-begins-although-off`, `device-is-given-although-off`).
#[tokio::test]
async fn devices_are_signed_in_only_while_an_administrator_lets_them() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let discovery = format!("{REALM}/.well-known/openid-configuration");
    let has = async || {
        let found = server.get("", &discovery).await.is(200);
        let grants = found["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!(GRANT));
        assert_eq!(grants, found.get("device_authorization_endpoint").is_some());
        grants
    };
    assert!(!has().await);
    assert_eq!(
        server.get(&server.admin, SETTING).await.is(200),
        json!({"enabled": false})
    );
    let mut visitor = Visitor::new(server);
    let off = async |visitor: &mut Visitor<'_>| {
        assert_eq!(begin(server).await.is(400)["error"], "unauthorized_client");
        is_said(server, "x", "unsupported_grant_type").await;
        visitor.get("/device").await.refused_page(404);
    };
    off(&mut visitor).await;
    for (token, body, status) in [
        (&organization.alice, json!({"enabled": true}), 403),
        (&server.admin, json!({}), 400),
        (&server.admin, json!({"uri": "https://a.example/"}), 400),
        (&server.admin, json!({"enabled": true, "idpAlias": "corp"}), 400),
    ] {
        let answer = server.call(token, Method::PUT, SETTING, body.to_string()).await;
        answer.refused(status);
    }
    assert!(!has().await);
    turn(server, true).await;
    assert!(has().await);
    let (device, code) = begun(server).await;
    // Somebody is half way, and somebody has confirmed.
    let (mut half, page) = person(server).await;
    let question = types(&mut half, &page, &code).await;
    let (ready, other) = begun(server).await;
    signs_in(server, &other).await;
    turn(server, false).await;
    off(&mut visitor).await;
    types(&mut half, &page, &code).await.refused_page(404);
    decides(&mut half, &question, "sign-in").await.refused_page(404);
    for code in [&device, &ready] {
        is_said(server, code, "unsupported_grant_type").await;
    }
    assert!(!has().await);
}

/// AUTH-11. Planted faults: a code that is redeemed twice (`device-code-is-good-twice`); a decision of another browser
/// (`device-is-decided-in-another-browser`).
#[tokio::test]
async fn a_device_gets_the_session_of_who_confirmed_it_once() {
    let server = Server::new().await;
    turn(&server, true).await;
    let given = begin(&server).await.is(200);
    assert_eq!(
        (
            &given["verification_uri"],
            &given["expires_in"],
            &given["interval"]
        ),
        (
            &json!("https://reeve.test/device"),
            &json!(600),
            &json!(PAUSE_SECONDS)
        )
    );
    assert!(
        given.get("verification_uri_complete").is_none(),
        "no link holds the code"
    );
    let (device, code) = (text(&given["device_code"]), text(&given["user_code"]));
    is_said(&server, &device, "authorization_pending").await;
    let (mut visitor, page) = person(&server).await;
    let question = types(&mut visitor, &page, &code.to_lowercase().replace('-', " ")).await;
    assert_eq!(question.status.as_u16(), 200, "{}", question.text);
    let policy = question.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    for said in [
        code.as_str(),
        "runai-cli",
        ADMIN,
        "Asked at",
        "From the address",
        "say no",
    ] {
        assert!(question.text.contains(said), "{said}: {}", question.text);
    }
    server.clock.advance_seconds(PAUSE_SECONDS);
    is_said(&server, &device, "authorization_pending").await;
    // Of another browser, and without a decision.
    let mut other = Visitor::new(&server);
    decides(&mut other, &question, "sign-in").await.refused_page(400);
    other.get("/device").await;
    decides(&mut other, &question, "sign-in").await.refused_page(400);
    decides(&mut visitor, &question, "").await.refused_page(400);
    server.clock.advance_seconds(PAUSE_SECONDS);
    is_said(&server, &device, "authorization_pending").await;
    let done = decides(&mut visitor, &question, "sign-in").await;
    assert!(done.text.contains("The device is signed in"), "{}", done.text);
    server.clock.advance_seconds(PAUSE_SECONDS);
    let foreign = ask_as(&server, "reeve-cli", &device).await.is(400);
    assert_eq!(foreign["error"], "invalid_grant");
    let tokens = ask(&server, &device).await.unwrap();
    let access = text(&tokens["access_token"]);
    let me = server.get(&access, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["username"], &tokens["token_type"]),
        (&json!(ADMIN), &json!("Bearer"))
    );
    server.clock.advance_seconds(PAUSE_SECONDS);
    is_said(&server, &device, "invalid_grant").await;
    // It is a session as any other.
    let body = json!({"grantType": "refresh_token", "refreshToken": tokens["refresh_token"], "clientId": "runai-cli"});
    let renewed = server.post("", "/api/v1/token", body).await.is(200);
    let renewed = text(&renewed["accessToken"]);
    server
        .post(&renewed, "/api/v1/me/logout", Value::Null)
        .await
        .is(200);
    for token in [&access, &renewed] {
        server.get(token, "/api/v1/me").await.refused(401);
    }
    let told = events(&server).await;
    let event = told
        .iter()
        .find(|event| event.entry.metadata.contains_key("device"))
        .unwrap();
    assert_eq!(
        (event.entry.action, event.entry.result),
        (AuditAction::SignIn, Outcome::Succeeded)
    );
    for (name, value) in [("device", "signed in"), ("client", "runai-cli")] {
        assert_eq!(event.entry.metadata[name], value);
    }
    assert_eq!((&*event.entry.subject, &*event.entry.entity_name), (ADMIN, ADMIN));
}

/// Planted fault: the session of a device that was refused goes on (`refused-device-keeps-its-session`).
#[tokio::test]
async fn a_device_that_is_refused_or_forgotten_gets_nothing() {
    let server = Server::new().await;
    turn(&server, true).await;
    let (device, code) = begun(&server).await;
    let (mut visitor, page) = person(&server).await;
    let question = types(&mut visitor, &page, &code).await;
    let before = sessions(&server).await;
    let done = decides(&mut visitor, &question, "refuse").await;
    assert!(done.text.contains("The device was refused"), "{}", done.text);
    assert_eq!(sessions(&server).await, before - 1, "what was begun for it ends");
    is_said(&server, &device, "access_denied").await;
    let told = events(&server).await;
    let refused = told.iter().find(|event| {
        event
            .entry
            .metadata
            .get("device")
            .is_some_and(|it| it == "refused")
    });
    assert_eq!(refused.unwrap().entry.result, Outcome::Failed);

    let (late, code) = begun(&server).await;
    let (mut visitor, page) = person(&server).await;
    server.clock.advance_seconds(599);
    let question = types(&mut visitor, &page, &code).await;
    assert_eq!(question.status.as_u16(), 200, "{}", question.text);
    server.clock.advance_seconds(2);
    decides(&mut visitor, &question, "sign-in")
        .await
        .refused_page(400);
    is_said(&server, &late, "expired_token").await;

    // Whoever is deleted, or signed out everywhere, meanwhile.
    let (device, code) = begun(&server).await;
    let (mut visitor, page) = person(&server).await;
    let question = types(&mut visitor, &page, &code).await;
    let (ready, other) = begun(&server).await;
    signs_in(&server, &other).await;
    let body = json!({"currentPassword": ADMIN_PASSWORD, "newPassword": "Other-Pass-1!"});
    server
        .post(&server.admin, "/api/v1/me/password", body)
        .await
        .is(200);
    decides(&mut visitor, &question, "sign-in")
        .await
        .refused_page(400);
    is_said(&server, &device, "authorization_pending").await;
    is_said(&server, &ready, "invalid_grant").await;
}

/// How many sessions the administrator has.
async fn sessions(server: &Server) -> usize {
    let user = server
        .app
        .directory()
        .user_by_email(&ADMIN.parse().unwrap())
        .unwrap()
        .id;
    let now = server.clock.now();
    server
        .app
        .directory()
        .sessions_of(reeve_store::SubjectId::User(user), now)
}

/// By the standard's rule, whatever the device is waiting for. Planted fault: `device-asks-as-it-likes`.
#[tokio::test]
async fn a_device_that_asks_too_early_waits_longer_and_learns_nothing() {
    let server = Server::new().await;
    turn(&server, true).await;
    let (device, code) = begun(&server).await;
    is_said(&server, &device, "authorization_pending").await;
    is_said(&server, &device, "slow_down").await;
    signs_in(&server, &code).await;
    server.clock.advance_seconds(2 * PAUSE_SECONDS - 1);
    is_said(&server, &device, "slow_down").await;
    server.clock.advance_seconds(3 * PAUSE_SECONDS);
    ask(&server, &device).await.unwrap();
}

/// AUTH-11: six wrong codes. Planted fault: `wrong-user-codes-are-not-counted`.
#[tokio::test]
async fn after_five_wrong_codes_none_of_this_person_is_looked_at() {
    let server = Server::new().await;
    turn(&server, true).await;
    let (_, code) = begun(&server).await;
    let (mut visitor, page) = person(&server).await;
    // What can be no code is no guess.
    types(&mut visitor, &page, "not a code").await.refused_page(400);
    for number in 0..WRONG_USER_CODES {
        // In a sign-in of its own each: the count is of the person.
        let (mut visitor, page) = person(&server).await;
        let wrong = types(&mut visitor, &page, "BBBB-BBBB").await;
        wrong.refused_page(400);
        assert!(wrong.text.contains("aria-describedby=\"wrong rule\""), "{number}");
    }
    types(&mut visitor, &page, &code).await.refused_page(429);
    server.clock.advance_seconds(WRONG_USER_CODES_SECONDS);
    let (_, code) = begun(&server).await;
    let (mut visitor, page) = person(&server).await;
    let question = types(&mut visitor, &page, &code).await;
    assert_eq!(question.status.as_u16(), 200, "{}", question.text);
}

/// The planted fault is the form of another site, which has neither the cookie nor the ticket.
#[tokio::test]
async fn nobody_types_a_code_for_somebody_else_or_before_signing_in() {
    let server = Server::new().await;
    turn(&server, true).await;
    let (_, code) = begun(&server).await;
    // A link with a code in it fills nothing in.
    let mut visitor = Visitor::new(&server);
    let page = visitor.get(&format!("/device?user_code={code}")).await;
    assert!(!page.text.contains(&code), "{}", page.text);
    let attempt = hidden(&page.text, "attempt");
    let form = [("attempt", attempt.as_str()), ("user-code", code.as_str())];
    visitor.post("/device/code", &form).await.refused_page(400);
    let (_, page) = person(&server).await;
    types(&mut Visitor::new(&server), &page, &code)
        .await
        .refused_page(400);
    types(&mut visitor, &page, &code).await.refused_page(400);
    // The ticket of one page is none of the next.
    let (mut visitor, page) = person(&server).await;
    decides(&mut visitor, &page, "sign-in").await.refused_page(400);
}

/// As for any other sign-in: the code of an authenticator, and another password for a temporary one, come first.
#[tokio::test]
async fn a_device_waits_for_whatever_the_sign_in_asks_for() {
    let server = Server::new().await;
    turn(&server, true).await;
    let made = server
        .post(
            &server.admin,
            "/api/v1/users",
            json!({"email": "erin@example.com"}),
        )
        .await
        .is(201);
    let (device, code) = begun(&server).await;
    let mut visitor = Visitor::new(&server);
    let temporary = text(&made["tempPassword"]);
    let page = visitor
        .types_password("/device", "erin@example.com", &temporary)
        .await;
    let ticket = hidden(&page.text, "ticket");
    let early = [("ticket", ticket.as_str()), ("user-code", code.as_str())];
    visitor.post("/device/code", &early).await.refused_page(400);
    let page = visitor
        .chooses_password(&ticket, "Chosen-Pass-1!", "Chosen-Pass-1!")
        .await;
    let question = types(&mut visitor, &page, &code).await;
    decides(&mut visitor, &question, "sign-in").await;
    let tokens = ask(&server, &device).await.unwrap();
    let access = text(&tokens["access_token"]);
    let me = server.get(&access, "/api/v1/me").await.is(200);
    assert_eq!(me["username"], "erin@example.com");

    let mine = "/api/v1/me/authenticator";
    server.post(&server.admin, mine, Value::Null).await.is(201);
    let shown = crate::second_factor::code_of(&server, ADMIN).await;
    let body = json!({ "code": shown });
    server
        .post(&server.admin, &format!("{mine}/confirm"), body)
        .await
        .is(200);
    let (_, page) = person(&server).await;
    page.refused_page(400);
    assert!(page.text.contains("authenticator"), "{}", page.text);
}

/// The database of either kind has hashes alone.
#[tokio::test]
async fn neither_code_is_kept_as_it_is() {
    let server = server().await;
    turn(&server, true).await;
    let (device, code) = begun(&server).await;
    let kept = server.dir.beside().everything().await;
    for text in [device.as_str(), code.as_str(), code.replace('-', "").as_str()] {
        assert!(!holds(&kept, text), "it is kept as it is");
    }
}

/// Whichever process is asked: begun at one, confirmed at the next, told by the third.
async fn over(servers: [&Server; 3]) {
    let [one, two, three] = servers;
    turn(one, true).await;
    let (device, code) = begun(one).await;
    is_said(three, &device, "authorization_pending").await;
    is_said(one, &device, "slow_down").await;
    let (mut visitor, page) = person(two).await;
    visitor.server = three;
    let question = types(&mut visitor, &page, &code).await;
    visitor.server = one;
    let done = decides(&mut visitor, &question, "sign-in").await;
    assert!(done.text.contains("The device is signed in"), "{}", done.text);
    visitor.server = two;
    decides(&mut visitor, &question, "sign-in")
        .await
        .refused_page(400);
    one.clock.advance_seconds(2 * PAUSE_SECONDS);
    let tokens = ask(three, &device).await.unwrap();
    let access = text(&tokens["access_token"]);
    for server in servers {
        server.get(&access, "/api/v1/me").await.is(200);
    }
    one.clock.advance_seconds(3 * PAUSE_SECONDS);
    is_said(two, &device, "invalid_grant").await;
    for number in 0..WRONG_USER_CODES {
        let (mut visitor, page) = person(servers[usize::try_from(number).unwrap() % 3]).await;
        types(&mut visitor, &page, "BBBB-BBBB").await.refused_page(400);
    }
    let (mut visitor, page) = person(three).await;
    types(&mut visitor, &page, "BBBB-BBBB").await.refused_page(429);
}

#[tokio::test]
async fn what_waits_and_what_was_guessed_outlives_a_restart() {
    let one = Server::new().await;
    turn(&one, true).await;
    let (device, code) = begun(&one).await;
    is_said(&one, &device, "authorization_pending").await;
    let guesses = async |server: &Server, count| {
        for _ in 0..count {
            let (mut visitor, page) = person(server).await;
            types(&mut visitor, &page, "BBBB-BBBB").await.refused_page(400);
        }
    };
    guesses(&one, WRONG_USER_CODES - 2).await;
    let two = Server::open(Arc::clone(&one.dir), one.clock.clone()).await;
    is_said(&two, &device, "slow_down").await;
    signs_in(&two, &code).await;
    let three = Server::open(Arc::clone(&one.dir), one.clock.clone()).await;
    three.clock.advance_seconds(2 * PAUSE_SECONDS);
    let tokens = ask(&three, &device).await.unwrap();
    let access = text(&tokens["access_token"]);
    three.get(&access, "/api/v1/me").await.is(200);
    guesses(&three, 2).await;
    let (mut visitor, page) = person(&three).await;
    types(&mut visitor, &page, "BBBB-BBBB").await.refused_page(429);
}

#[tokio::test]
async fn every_process_over_postgresql_says_the_same_of_a_device() {
    let Some(postgres) = own_postgres() else {
        return;
    };
    let url = postgres.url("postgres");
    let clock = Clock::fixed(Timestamp::from_millis(1_700_000_000_000));
    let one = Server::open_postgres(&url, clock.clone()).await;
    let two = Server::open_postgres(&url, clock.clone()).await;
    let three = Server::open_postgres(&url, clock).await;
    over([&one, &two, &three]).await;
}

#[tokio::test]
async fn a_setting_of_providers_sends_device_sign_ins_there_as_well() {
    let server = server().await;
    turn(&server, true).await;
    set_up(&server, "corp", "https://127.0.0.1:1", json!(null)).await;
    let all = "/api/v1/security/settings/autoRedirectSSO";
    let body = json!({"enabled": true, "idpAlias": "corp"}).to_string();
    server.call(&server.admin, Method::PUT, all, body).await.is(200);
    let mut visitor = Visitor::new(&server);
    let to = super::visitor::location(&visitor.get("/device").await);
    assert!(to.contains("/broker/corp/login?attempt="), "{to}");
    // Local users ask for the page by name.
    let page = visitor.get("/device?password").await;
    assert!(page.text.contains("Sign in with a password"), "{}", page.text);
}
