//! Refresh tokens: a client goes on without asking the person again, and a copy of one is noticed.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_store::{AuditAction, Outcome, REPEATED_SECONDS};
use reeve_testkit::own_postgres;
use reeve_types::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::audit::events;
use crate::clusters::claims;
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, IDLE_SECONDS, SESSION_SECONDS, Server};

const TOKEN: &str = "/api/v1/token";
const SENTENCE: &str =
    "the refresh token is not valid, was replaced before, or its session is over: sign in again";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The access token and the refresh token of a sign-in by a client that names itself.
async fn sign_in(server: &Server, username: &str, password: &str) -> (String, String) {
    let body =
        json!({"grantType": "password", "username": username, "password": password, "clientId": "reeve-cli"});
    let given = server.post("", TOKEN, body).await.is(200);
    assert_eq!(given["expiresIn"], 3600);
    (text(&given["accessToken"]), text(&given["refreshToken"]))
}

async fn show(server: &Server, token: &str) -> Answer {
    let body = json!({"grantType": "refresh_token", "refreshToken": token, "clientID": "reeve-cli"});
    server.post("", TOKEN, body).await
}

/// What the next tokens are.
async fn renew(server: &Server, token: &str) -> (String, String) {
    let given = show(server, token).await.is(200);
    (text(&given["accessToken"]), text(&given["refreshToken"]))
}

async fn is_refused(server: &Server, token: &str) {
    assert_eq!(show(server, token).await.refused(400), SENTENCE);
}

async fn is_in(server: &Server, token: &str) -> bool {
    server.get(token, "/api/v1/me").await.status == StatusCode::OK
}

/// Of the last so many events what was done, to whom and how it ended.
async fn last(server: &Server, count: usize) -> Vec<(AuditAction, String, Outcome)> {
    let mut events = events(server).await;
    let told = events.split_off(events.len() - count).into_iter();
    told.map(|row| (row.entry.action, row.entry.entity_name, row.entry.result))
        .collect()
}

/// Planted faults: the token that was shown given back (`refresh-token-is-not-replaced`), and an old one taken for one that is over
/// (`reuse-is-not-noticed`).
#[tokio::test]
async fn each_use_replaces_a_refresh_token_and_one_that_was_replaced_ends_the_session() {
    let server = Server::new().await;
    let (access, first) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let (other, _) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    server.clock.advance_seconds(3590);
    let (renewed, second) = renew(&server, &first).await;
    assert_ne!(second, first);
    assert_eq!(claims(&renewed)["sid"], claims(&access)["sid"]);
    assert_eq!(claims(&renewed)["email"], ADMIN);
    server.clock.advance_seconds(20);
    assert!(!is_in(&server, &access).await && is_in(&server, &renewed).await);
    let (_, third) = renew(&server, &second).await;
    assert_eq!(
        last(&server, 1).await,
        [(AuditAction::SignIn, ADMIN.to_owned(), Outcome::Succeeded)]
    );
    // Somebody has a copy of the first.
    is_refused(&server, &first).await;
    let told = last(&server, 2).await;
    assert!(
        told.contains(&(AuditAction::Reuse, ADMIN.to_owned(), Outcome::Succeeded)),
        "{told:?}"
    );
    assert!(
        !is_in(&server, &renewed).await,
        "the tokens of the session are over"
    );
    is_refused(&server, &third).await;
    let others = server.post(
        "",
        TOKEN,
        json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD}),
    );
    let others = text(&others.await.is(200)["accessToken"]);
    assert!(is_in(&server, &others).await, "other sessions go on");
    assert!(!is_in(&server, &other).await, "by its time alone");
    let metrics = server.app.metrics.text(0, &[]).unwrap();
    assert!(
        metrics.contains("reeve_refresh_token_reuses_total 1"),
        "{metrics}"
    );
    let reuses = events(&server).await;
    let reuses = reuses.iter().filter(|row| row.entry.action == AuditAction::Reuse);
    assert_eq!(reuses.count(), 1, "what is over is not noticed again");
}

/// Planted fault: another successor for the same token.
#[tokio::test]
async fn a_client_whose_answer_was_lost_gets_it_again_for_a_minute() {
    let server = Server::new().await;
    let (_, first) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let (_, second) = renew(&server, &first).await;
    server.clock.advance_seconds(REPEATED_SECONDS - 1);
    let (again, same) = renew(&server, &first).await;
    assert!(is_in(&server, &again).await);
    assert_eq!(same, second);
    let (_, third) = renew(&server, &second).await;
    is_refused(&server, &first).await;
    is_refused(&server, &third).await;
    let (_, first) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let (_, second) = renew(&server, &first).await;
    server.clock.advance_seconds(REPEATED_SECONDS);
    is_refused(&server, &first).await;
    is_refused(&server, &second).await;
}

#[tokio::test]
async fn a_refresh_token_is_good_for_the_client_it_was_given_to_and_not_changed_in_any_way() {
    let server = Server::new().await;
    let (access, token) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let (start, seal) = token.rsplit_once('.').unwrap();
    let (head, secret) = start.rsplit_once('.').unwrap();
    let other = format!("{head}.{}.{seal}", secret.chars().rev().collect::<String>());
    for wrong in ["x", "rt.", start, &other, &token[..token.len() - 1], &access] {
        is_refused(&server, wrong).await;
    }
    let elsewhere = json!({"grantType": "refresh_token", "refreshToken": token, "clientId": "another"});
    assert_eq!(server.post("", TOKEN, elsewhere).await.refused(400), SENTENCE);
    for wrong in [
        json!({}),
        json!({"refreshToken": ""}),
        json!({"refreshToken": "x".repeat(5000)}),
    ] {
        let mut body = wrong;
        body["grantType"] = json!("refresh_token");
        server.post("", TOKEN, body).await.refused(400);
    }
    assert!(
        is_in(&server, &access).await,
        "none of it says that there is a copy"
    );
    renew(&server, &token).await;
    // Whoever does not ask for one, and programs, get none.
    let made = server
        .post(&server.admin, "/api/v1/service-accounts", json!({"name": "bot"}))
        .await
        .is(201);
    for body in [
        json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD}),
        json!({"grantType": "client_credentials", "clientId": "bot", "clientSecret": made["clientSecret"]}),
    ] {
        let given = server.post("", TOKEN, body).await.is(200);
        assert_eq!(
            (&given["refreshToken"], &given["expiresIn"]),
            (&Value::Null, &json!(36_000))
        );
    }
}

#[tokio::test]
async fn a_refresh_token_is_over_when_it_rests_and_with_its_session() {
    let server = Server::new().await;
    let (_, idle) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let (_, mut used) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let mut passed = 0;
    let mut step = async |seconds: i64, used: &mut String| {
        server.clock.advance_seconds(seconds);
        passed += seconds;
        let (access, next) = renew(&server, used).await;
        *used = next;
        let ends = claims(&access)["exp"].as_i64().unwrap() - server.clock.now().as_seconds();
        assert_eq!(
            ends,
            3600.min(SESSION_SECONDS - passed),
            "no token outlives the session"
        );
    };
    step(IDLE_SECONDS - 1, &mut used).await;
    step(1, &mut used).await;
    is_refused(&server, &idle).await;
    for _ in 0..2 {
        step(IDLE_SECONDS - 1, &mut used).await;
    }
    // However often it is used.
    server.clock.advance_seconds(SESSION_SECONDS - passed);
    is_refused(&server, &used).await;
    let told = events(&server).await;
    assert!(told.iter().all(|row| row.entry.action != AuditAction::Reuse));
}

/// Every end of a session is in `losses.rs`; these over two processes, of which one has not heard of it yet. Planted fault: the directory
/// asked in place of the database.
async fn two_servers(server: &Server, replica: &Server) {
    let made = json!({"email": "alice@example.com", "resetPassword": false});
    let made = server.post(&server.admin, "/api/v1/users", made).await.is(201);
    let password = text(&made["tempPassword"]);
    let alice = async || sign_in(server, "alice@example.com", &password).await;
    let (_, first) = alice().await;
    let before = events(server).await.len();
    let (one, two, three, four) = tokio::join!(
        renew(server, &first),
        renew(replica, &first),
        renew(server, &first),
        renew(replica, &first)
    );
    let (access, second) = one;
    for (other, same) in [two, three, four] {
        assert!(is_in(replica, &other).await && is_in(server, &other).await);
        assert_eq!(same, second, "whoever comes second gets the answer of the first");
    }
    assert!(is_in(replica, &access).await);
    assert_eq!(events(server).await.len(), before + 1);
    let (access, third) = renew(server, &second).await;
    is_refused(replica, &first).await;
    is_refused(server, &third).await;
    assert!(!is_in(replica, &access).await);
    server.app.catch_up().await.unwrap();
    assert!(!is_in(server, &access).await);

    let (access, token) = alice().await;
    server
        .post(&access, "/api/v1/me/logout", Value::Null)
        .await
        .is(200);
    is_refused(replica, &token).await;
    let (_, token) = alice().await;
    let user = format!("/api/v1/users/{}", text(&made["id"]));
    server
        .post(&server.admin, &format!("{user}/logout"), Value::Null)
        .await
        .is(200);
    is_refused(replica, &token).await;
    let (_, token) = alice().await;
    server.delete(&server.admin, &user).await.is(204);
    is_refused(replica, &token).await;
    is_refused(server, &token).await;
}

#[tokio::test]
async fn whichever_server_is_asked_a_refresh_token_is_good_once_and_no_longer_than_its_session() {
    let server = Server::new().await;
    let replica = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    two_servers(&server, &replica).await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_over_postgres_too() {
    let Some(postgres) = own_postgres() else { return };
    let (url, clock) = (
        postgres.url("postgres"),
        Clock::fixed(Timestamp::from_millis(1_700_000_000_000)),
    );
    let server = Server::open_postgres(&url, clock.clone()).await;
    let replica = Server::open_postgres(&url, clock).await;
    two_servers(&server, &replica).await;
}

#[tokio::test]
async fn a_session_is_not_renewed_without_end() {
    let server = Server::new().await;
    let (_, mut token) = sign_in(&server, ADMIN, ADMIN_PASSWORD).await;
    let mut renewed = 0;
    let refused = loop {
        let answer = show(&server, &token).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        token = text(&answer.json()["refreshToken"]);
        renewed += 1;
    };
    assert_eq!(renewed, 60);
    refused.refused(429);
    assert_eq!(refused.headers["retry-after"], "6");
    server.clock.advance_seconds(6);
    renew(&server, &token).await;
}

async fn form(server: &Server, form: &str, authorization: Option<&str>) -> Answer {
    let mut request =
        Request::post("/api/v2/token").header("content-type", "application/x-www-form-urlencoded");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    server
        .send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

fn password_form(more: &str) -> String {
    let (user, password) = (ADMIN.replace('@', "%40"), ADMIN_PASSWORD.replace('!', "%21"));
    format!("grant_type=password&username={user}&password={password}{more}")
}

#[tokio::test]
async fn the_second_version_is_the_same_as_rfc_6749_has_it() {
    let server = Server::new().await;
    let given = form(&server, &password_form("&client_id=x"), None).await;
    assert_eq!(given.headers["cache-control"], "no-store");
    let given = given.is(200);
    assert_eq!(
        (&given["token_type"], &given["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert!(is_in(&server, given["access_token"].as_str().unwrap()).await);
    let shown = format!(
        "grant_type=refresh_token&client_id=x&refresh_token={}",
        text(&given["refresh_token"])
    );
    let next = form(&server, &shown, None).await.is(200);
    assert!(is_in(&server, next["access_token"].as_str().unwrap()).await);
    assert_ne!(next["refresh_token"], given["refresh_token"]);
    let alone = form(&server, &password_form(""), None).await.is(200);
    assert_eq!(
        (&alone["refresh_token"], &alone["expires_in"]),
        (&Value::Null, &json!(36_000))
    );

    let made = server
        .post(&server.admin, "/api/v1/service-accounts", json!({"name": "bot"}))
        .await
        .is(201);
    let secret = text(&made["clientSecret"]);
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let in_form = format!("grant_type=client_credentials&client_id=bot&client_secret={secret}");
    form(&server, &in_form, Some("Bearer a.b.c")).await.is(200);
    let right = basic(&format!("bot:{secret}"));
    form(&server, "grant_type=client_credentials", Some(&right))
        .await
        .is(200);

    let wrong = basic("bot:wrong");
    let client = "grant_type=client_credentials";
    for (body, authorization, status, error) in [
        ("", None, 400, "invalid_request"),
        ("{}", None, 400, "invalid_request"),
        (
            "grant_type=authorization_code&code=x",
            None,
            400,
            "unsupported_grant_type",
        ),
        (
            "grant_type=password&username=a%40b.co&password=Wrong-Pass-1!",
            None,
            400,
            "invalid_grant",
        ),
        (
            "grant_type=refresh_token&refresh_token=rt.1.2.3",
            None,
            400,
            "invalid_grant",
        ),
        (
            "grant_type=client_credentials&client_id=bot&client_secret=wrong",
            None,
            400,
            "invalid_client",
        ),
        (client, None, 400, "invalid_request"),
        (client, Some(wrong.as_str()), 401, "invalid_client"),
        (client, Some("Basic !"), 401, "invalid_client"),
        (in_form.as_str(), Some(right.as_str()), 400, "invalid_request"),
    ] {
        let answer = form(&server, body, authorization).await;
        assert_eq!(answer.is(status)["error"], error, "{body}");
        assert_eq!(
            answer.headers.contains_key("www-authenticate"),
            status == 401,
            "{body}"
        );
        assert!(
            !answer.text.contains("wrong") && !answer.text.contains(&secret),
            "{}",
            answer.text
        );
    }
    form(&server, &"x".repeat(10_000), None).await.refused(413);
}
