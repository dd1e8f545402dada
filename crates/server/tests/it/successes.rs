//! Whoever may sign in and asks without a pause: what that leaves in the audit log, and what it must not get around.

use axum::http::Method;
use reeve_server::upkeep;
use reeve_store::{AuditEntry, SubjectId};
use serde_json::{Value, json};

use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, OrganizationFixture, Server};

const TOKEN: &str = "/api/v1/token";
const APPLICATIONS: &str = "/api/v1/service-accounts";

/// The sign-ins that the audit log holds by this method and route.
async fn recorded(server: &Server, url: &str, subject: &str) -> Vec<AuditEntry> {
    let page = server.sql.audit_page(0, 10_000).await.unwrap();
    page.into_iter()
        .map(|row| row.entry)
        .filter(|entry| entry.url == url && (entry.subject == subject || entry.entity_name == subject))
        .collect()
}

fn counted(entry: &AuditEntry) -> &str {
    entry.metadata.get("tokens").map_or("", String::as_str)
}

async fn application(server: &Server, name: &str) -> (String, Value) {
    let made = server
        .post(&server.admin, APPLICATIONS, json!({"name": name}))
        .await
        .is(201);
    let id = made["id"].as_str().unwrap().to_owned();
    (id, made["clientSecret"].clone())
}

async fn sign_in(server: &Server, name: &str, secret: &Value) -> Answer {
    let body = json!({"grantType": "client_credentials", "clientID": name, "clientSecret": secret});
    server.post("", TOKEN, body).await
}

/// Planted faults: `each-token-is-recorded` and the others of `hack/mutants-control-plane.yaml`.
#[tokio::test]
async fn an_application_that_asks_without_a_pause_writes_two_events_a_minute() {
    let server = Server::new().await;
    let (_, secret) = application(&server, "ci").await;
    let mut last = String::new();
    for _ in 0..100 {
        let answer = sign_in(&server, "ci", &secret).await.is(200);
        last = answer["accessToken"].as_str().unwrap().to_owned();
    }
    server.get(&last, "/api/v1/me").await.is(200);
    assert_eq!(
        recorded(&server, TOKEN, "ci").await.len(),
        1,
        "the first, before it was given"
    );
    upkeep::record_successes(&server.app, false).await;
    assert_eq!(
        recorded(&server, TOKEN, "ci").await.len(),
        1,
        "the minute is not over"
    );
    server.clock.advance_seconds(60);
    sign_in(&server, "ci", &secret).await.is(200);
    assert_eq!(
        recorded(&server, TOKEN, "ci").await.len(),
        2,
        "the next minute's first"
    );
    server.clock.advance_seconds(60);
    for _ in 0..3 {
        upkeep::record_successes(&server.app, false).await;
    }
    let events = recorded(&server, TOKEN, "ci").await;
    assert_eq!(events.iter().map(counted).collect::<Vec<_>>(), ["", "", "99"]);
    let sum = events.last().unwrap();
    assert_eq!(sum.metadata["session"], events[0].metadata["session"]);
    assert!(sum.metadata["first"] <= sum.metadata["last"]);
    server.sql.verify_audit(&[]).await.unwrap().unwrap();
    // What is counted when the server ends is written then.
    sign_in(&server, "ci", &secret).await.is(200);
    sign_in(&server, "ci", &secret).await.is(200);
    upkeep::record_successes(&server.app, true).await;
    assert_eq!(counted(recorded(&server, TOKEN, "ci").await.last().unwrap()), "1");
}

#[tokio::test]
async fn a_disabled_application_and_one_with_a_new_secret_go_on_with_nothing() {
    let server = Server::new().await;
    let (id, secret) = application(&server, "ci").await;
    let token = async |secret: &Value| {
        let answer = sign_in(&server, "ci", secret).await.is(200);
        answer["accessToken"].as_str().unwrap().to_owned()
    };
    let (first, second) = (token(&secret).await, token(&secret).await);
    let path = format!("{APPLICATIONS}/{id}");
    let enabled = async |enabled: bool| {
        let body = json!({"enabled": enabled}).to_string();
        server
            .call(&server.admin, Method::PATCH, &path, body)
            .await
            .is(200)
    };
    enabled(false).await;
    sign_in(&server, "ci", &secret).await.refused(400);
    enabled(true).await;
    // Within the same minute: the session of before is not gone on with, or this token would be worth nothing.
    let third = token(&secret).await;
    server.get(&third, "/api/v1/me").await.is(200);
    for gone in [&first, &second] {
        server.get(gone, "/api/v1/me").await.refused(401);
    }
    let renewed = server
        .post(&server.admin, &format!("{path}/secret"), json!({}))
        .await;
    let renewed = renewed.is(200)["clientSecret"].clone();
    sign_in(&server, "ci", &secret).await.refused(400);
    server.get(&token(&renewed).await, "/api/v1/me").await.is(200);
    server.get(&third, "/api/v1/me").await.refused(401);
}

#[tokio::test]
async fn tokens_of_clusters_and_of_the_link_are_counted_and_one_that_says_something_else_is_recorded() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let route = "/api/v1/clusters/{clusterUuid}/kubernetes-token";
    let path = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
    let alice = "alice@example.com";
    let before = recorded(server, route, alice).await.len();
    for _ in 0..30 {
        server
            .call(&organization.alice, Method::POST, &path, "")
            .await
            .is(200);
    }
    assert_eq!(recorded(server, route, alice).await.len(), before + 1);
    let posix = json!({"uid": 71_234, "gid": 5000, "supplementaryGroups": []});
    let numbers = format!("/api/v1/users/{}/posix", organization.alice_id);
    server
        .call(&server.admin, Method::PUT, &numbers, posix.to_string())
        .await
        .is(200);
    server
        .call(&organization.alice, Method::POST, &path, "")
        .await
        .is(200);
    let events = recorded(server, route, alice).await;
    assert_eq!(events.len(), before + 2);
    assert!(events.last().unwrap().metadata["posix"].contains("71234"));
    for _ in 0..30 {
        server
            .link_token(&organization.cluster, &organization.secret)
            .await;
    }
    let page = server.sql.audit_page(0, 10_000).await.unwrap();
    let link = page
        .iter()
        .filter(|row| row.entry.url == "/link/v1/token")
        .count();
    assert_eq!(link, 1);
    server.clock.advance_seconds(60);
    upkeep::record_successes(&server.app, false).await;
    let sums: Vec<_> = recorded(server, route, alice).await.split_off(before + 2);
    assert_eq!(sums.iter().map(counted).collect::<Vec<_>>(), ["29"]);
    assert!(!sums[0].metadata.contains_key("jti"), "each had its own");
    assert!(!sums[0].metadata["posix"].contains("71234"));
}

#[tokio::test]
async fn a_user_who_signs_in_without_a_pause_is_told_when_to_come_back() {
    let server = Server::new().await;
    let made = server
        .post(
            &server.admin,
            "/api/v1/users",
            json!({"email": "alice@example.com"}),
        )
        .await
        .is(201);
    let password =
        json!({"grantType": "password", "username": "alice@example.com", "password": made["tempPassword"]});
    let id = made["id"].as_str().unwrap().parse().unwrap();
    server.post("", TOKEN, password.clone()).await.is(200);
    let now = server.clock.now();
    let _ = (0..100)
        .filter(|_| server.app.sign_in_rate.may_begin(id, now))
        .count();
    let sessions = server.app.directory().snapshot().sessions.len();
    let answer = server.post("", TOKEN, password.clone()).await;
    let said = answer.refused(429);
    assert_eq!(answer.headers["retry-after"], "6");
    assert!(said.contains("service accounts"), "{said}");
    assert_eq!(server.app.directory().snapshot().sessions.len(), sessions);
    // Nobody else is kept out by it, nor she by those who do not know her password.
    let wrong = json!({"grantType": "password", "username": "alice@example.com", "password": "wrong"});
    server.post("", TOKEN, wrong).await.refused(400);
    let admin = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    let id = server
        .app
        .directory()
        .user_by_email(&ADMIN.parse().unwrap())
        .unwrap()
        .id;
    let _ = (0..100)
        .filter(|_| server.app.sign_in_rate.may_begin(id, now))
        .count();
    server.post("", TOKEN, admin).await.is(200);
    server.clock.advance_seconds(6);
    server.post("", TOKEN, password).await.is(200);
    assert!(
        server
            .app
            .directory()
            .snapshot()
            .sessions
            .iter()
            .any(|it| matches!(it.subject, SubjectId::User(_)))
    );
}
