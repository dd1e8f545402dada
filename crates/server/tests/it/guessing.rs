//! Guessing at passwords, and what a stranger learns by it: AUTH-09 and AUTH-12 of `docs/security/authentication-checks.md`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use reeve_server::{guesses, upkeep};
use reeve_store::{Outcome, WRONG_PASSWORDS_SECONDS};
use serde_json::{Value, json};

use crate::audit::events;
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, Server};

async fn try_from(server: &Server, last: u8, name: &str, word: &str) -> Answer {
    let body = json!({"grantType": "password", "username": name, "password": word});
    let mut request = Request::post("/api/v1/token")
        .body(Body::from(body.to_string()))
        .unwrap();
    let from = SocketAddr::from(([10, 0, 0, last], 40_000));
    request.extensions_mut().insert(ConnectInfo(from));
    server.send(request).await
}

async fn made(server: &Server, email: &str) -> String {
    let made = server
        .post(
            &server.admin,
            "/api/v1/users",
            json!({"email": email, "resetPassword": false}),
        )
        .await
        .is(201);
    made["tempPassword"].as_str().unwrap().to_owned()
}

/// However the name is spelled, over two servers and a restart; and others are not concerned. Planted faults: `Guesses::may_try` that
/// answers yes; the count not read from the database; the count by the name as it was typed.
#[tokio::test]
async fn after_forty_wrong_passwords_none_is_looked_at_on_any_server_for_a_quarter_of_an_hour() {
    let server = Server::new().await;
    let right = made(&server, "alice@example.com").await;
    let others = made(&server, "bob@example.com").await;
    let half = usize::try_from(guesses::MOST / 2).unwrap();
    for spelling in ["alice@example.com", "Alice@Example.COM"]
        .iter()
        .cycle()
        .take(half)
    {
        try_from(&server, 1, spelling, "Wrong-Pass-1!").await.refused(400);
    }
    // As it is every second.
    upkeep::record_guesses(&server.app).await;
    let restarted = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    for _ in 0..half {
        try_from(&restarted, 2, "alice@example.com", "Wrong-Pass-1!")
            .await
            .refused(400);
    }
    upkeep::record_guesses(&restarted.app).await;
    let wrong = try_from(&server, 3, "alice@example.com", "Wrong-Pass-1!")
        .await
        .refused(400);
    for server in [&server, &restarted] {
        let said = try_from(server, 3, "alice@example.com", &right)
            .await
            .refused(400);
        assert_eq!(said, wrong, "whoever guesses learns nothing");
    }
    try_from(&server, 1, "bob@example.com", &others).await.is(200);
    server.clock.advance_seconds(WRONG_PASSWORDS_SECONDS);
    try_from(&server, 1, "alice@example.com", &right).await.is(200);
    // And from the right one on it begins anew.
    for _ in 0..guesses::MOST - 1 {
        try_from(&server, 1, "alice@example.com", "Wrong-Pass-1!").await;
    }
    try_from(&server, 1, "alice@example.com", &right).await.is(200);
    for _ in 0..guesses::MOST - 1 {
        try_from(&server, 1, "alice@example.com", "Wrong-Pass-1!").await;
    }
    try_from(&server, 1, "alice@example.com", &right).await.is(200);
}

/// Also at the limit, and with the guesser going on. Planted fault: a break-glass account is kept out like the others.
#[tokio::test]
async fn nobody_keeps_the_break_glass_administrator_out_and_each_use_is_told() {
    let server = Server::new().await;
    for _ in 0..guesses::MOST + 5 {
        try_from(&server, 1, ADMIN, "Wrong-Pass-1!").await.refused(400);
    }
    try_from(&server, 1, ADMIN, ADMIN_PASSWORD).await.refused(400);
    try_from(&server, 2, ADMIN, ADMIN_PASSWORD).await.is(200);
    let told = events(&server).await;
    let uses: Vec<_> = told
        .iter()
        .filter(|event| event.entry.metadata.contains_key("break_glass"))
        .collect();
    assert_eq!(uses.len(), 1, "{uses:?}");
    assert_eq!(uses[0].entry.result, Outcome::Succeeded);
    let text = server.app.metrics.text(0, &[]).unwrap();
    assert!(text.contains("reeve_break_glass_sign_ins_total 1"), "{text}");
}

/// Names that exist and names that do not, right and wrong: one sentence. Planted fault: another word for unknown names.
#[tokio::test]
async fn no_answer_tells_whether_a_name_exists() {
    let server = Server::new().await;
    made(&server, "alice@example.com").await;
    server
        .post(&server.admin, "/api/v1/service-accounts", json!({"name": "ci"}))
        .await
        .is(201);
    let mut said = Vec::new();
    for name in [
        "alice@example.com",
        "nobody@example.com",
        "nobody",
        "alice@example.com\u{200b}",
    ] {
        let answer = try_from(&server, 1, name, "Wrong-Pass-1!").await;
        said.push((answer.status, answer.text));
    }
    for client in ["ci", "nobody", "key.00000000-0000-4000-8000-000000000000"] {
        let body = json!({"grantType": "client_credentials", "clientId": client, "clientSecret": "wrong"});
        let answer = server.post("", "/api/v1/token", body).await;
        said.push((answer.status, answer.text));
    }
    assert!(said.iter().all(|it| *it == said[0]), "{said:?}");
    assert_eq!(serde_json::from_str::<Value>(&said[0].1).unwrap()["code"], 400);
}
