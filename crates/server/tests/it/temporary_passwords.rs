//! Passwords that an administrator made: with one somebody can sign in, and do nothing but choose another.

use std::sync::Arc;

use axum::http::{Method, Request};
use reeve_api::{Access, OPERATIONS};
use reeve_types::UserId;
use serde_json::{Value, json};

use crate::followed::is_fresh;
use crate::server::{Answer, OrganizationFixture, Server};

const ALL: &str = "/api/v1/users";
const ME: &str = "/api/v1/me";
const PASSWORD: &str = "/api/v1/me/password";
const EMAIL: &str = "erin@example.com";

async fn sign_in(server: &Server, password: &Value) -> Answer {
    let body = json!({"grantType": "password", "username": EMAIL, "password": password});
    server.post("", "/api/v1/token", body).await
}

fn token(answer: &Value) -> String {
    answer["accessToken"].as_str().unwrap().to_owned()
}

/// With rights, so that it is not for the lack of one that she is refused.
async fn erin(server: &Server, body: Value) -> (UserId, Value) {
    let made = server.post(&server.admin, ALL, body).await.is(201);
    server.rule(("user", EMAIL), 1, ("tenant", "1")).await;
    (
        made["id"].as_str().unwrap().parse().unwrap(),
        made["tempPassword"].clone(),
    )
}

async fn is_refused(server: &Server, token: &str, method: Method, path: &str) {
    let refused = server.call(token, method, path, "{}").await.is(403);
    assert_eq!(refused["reason"], "temporary-password", "{path}: {refused}");
    let said = refused["message"].as_str().unwrap();
    assert!(said.contains("a temporary one: choose another first"), "{said}");
}

/// Planted faults: the guard that does not ask; a row that is let through besides (`with_temporary_password`).
#[tokio::test]
async fn with_a_temporary_password_nothing_is_done_but_choosing_another() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (_, first) = erin(server, json!({"email": EMAIL})).await;
    is_fresh(server, "a user was made").await;
    let signed_in = sign_in(server, &first).await.is(200);
    assert_eq!(signed_in["mustChangePassword"], true);
    let here = token(&signed_in);
    let elsewhere = token(&sign_in(server, &first).await.is(200));
    let mut let_through = Vec::new();
    for operation in OPERATIONS.iter().filter(|it| it.access != Access::Public) {
        if operation.with_temporary_password {
            let_through.push(operation.name);
            continue;
        }
        let path = operation.path.split('/');
        let path: Vec<_> = path
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect();
        is_refused(server, &here, operation.method.into(), &path.join("/")).await;
    }
    assert_eq!(let_through, ["get_me", "logout_me", "change_user_password"]);
    let me = server.get(&here, ME).await.is(200);
    assert_eq!(
        (&me["username"], &me["mustChangePassword"]),
        (&json!(EMAIL), &json!(true))
    );
    // Nor at another server, nor after a restart.
    let other = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    is_refused(&other, &here, Method::GET, ALL).await;
    // Nor by a renewed token.
    let body =
        json!({"grantType": "password", "username": EMAIL, "password": first, "clientId": "reeve-cli"});
    let renewable = server.post("", "/api/v1/token", body).await.is(200);
    let body = json!({"grantType": "refresh_token", "refreshToken": renewable["refreshToken"], "clientId": "reeve-cli"});
    let renewed = server.post("", "/api/v1/token", body).await.is(200);
    assert_eq!(renewed["mustChangePassword"], true);
    is_refused(server, &token(&renewed), Method::GET, ALL).await;
    // Signing out is possible.
    server
        .post(&elsewhere, "/api/v1/me/logout", json!({}))
        .await
        .is(200);
    server.get(&elsewhere, ME).await.refused(401);

    let change = async |new: &Value| {
        let body = json!({"currentPassword": first, "newPassword": new});
        server.post(&here, PASSWORD, body).await
    };
    let said = change(&first).await.refused(400);
    assert!(said.contains("is the password until now"), "{said}");
    change(&json!("weak")).await.refused(400);
    is_refused(server, &here, Method::GET, ALL).await;
    let chosen = json!("Chosen-Pass-1!");
    change(&chosen).await.is(200);
    is_fresh(server, "another password was chosen").await;
    // The same token, at every server.
    server.get(&here, ALL).await.is(200);
    other.app.catch_up().await.unwrap();
    other.get(&here, ALL).await.is(200);
    let me = server.get(&here, ME).await.is(200);
    assert_eq!(me.get("mustChangePassword"), None);
    server.get(&token(&renewed), ME).await.refused(401);
    sign_in(server, &first).await.refused(400);
    let signed_in = sign_in(server, &chosen).await.is(200);
    assert_eq!(signed_in.get("mustChangePassword"), None);
    server.get(&token(&signed_in), ALL).await.is(200);
    let log = format!(
        "/api/v1/audit/log?start=2023-11-14&end=2033-11-14&filterBy=subject=={EMAIL},action==reset-password"
    );
    let log = server.get(&server.admin, &log).await.is(200);
    assert_eq!(
        log["audit_logs"][0]["metadata"]["temporary_password"], "replaced",
        "{log}"
    );
}

/// Planted faults: an access key or a provider's session that is held up as well; a reset that lets the user go on.
#[tokio::test]
async fn a_reset_holds_up_the_password_and_neither_access_keys_nor_an_identity_provider() {
    let server = Server::new().await;
    let body = json!({"email": EMAIL, "resetPassword": false});
    let (id, first) = erin(&server, body).await;
    // As it was asked for, the first one stays.
    let signed_in = sign_in(&server, &first).await.is(200);
    assert_eq!(signed_in.get("mustChangePassword"), None);
    let here = token(&signed_in);
    let key = server
        .post(&here, "/api/v1/access-keys", json!({"name": "notebook"}))
        .await
        .is(201);
    let by_key = json!({"grantType": "client_credentials", "clientId": key["clientId"], "clientSecret": key["clientSecret"]});
    let program = async || token(&server.post("", "/api/v1/token", by_key.clone()).await.is(200));
    let before = program().await;
    let reset = server
        .post(&server.admin, &format!("{ALL}/{id}/password"), json!({}))
        .await
        .is(200);
    is_fresh(&server, "a password was given").await;
    for ended in [&here, &before] {
        server.get(ended, ME).await.refused(401);
    }
    let body = json!({"grant_type": "password", "username": EMAIL, "password": reset["tempPassword"]});
    let form = body
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap()));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = Request::post("/api/v2/token").header("content-type", "application/x-www-form-urlencoded");
    let answer = server.send(request.body(form.into()).unwrap()).await.is(200);
    assert_eq!(answer["must_change_password"], true);
    is_refused(
        &server,
        answer["access_token"].as_str().unwrap(),
        Method::GET,
        ALL,
    )
    .await;
    server.get(&program().await, ALL).await.is(200);
    let provided = server.provided(id, &["ml"], Value::Null).await;
    server.get(&server.token_in(&provided), ALL).await.is(200);
}

/// Planted faults: every local user's is said to be temporary; the list says less than the user.
#[tokio::test]
async fn who_reads_users_sees_whose_password_is_temporary() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (id, first) = erin(server, json!({"email": EMAIL})).await;
    let path = format!("{ALL}/{id}");
    let is_temporary = async |what: &str, wanted: bool| {
        let one = server.get(&server.admin, &path).await.is(200);
        let listed = server
            .get(&server.admin, &format!("{ALL}?filterBy=username=={EMAIL}"))
            .await
            .is(200);
        for shown in [&one, &listed[0]] {
            assert_eq!(shown["temporaryPassword"], wanted, "{what}: {shown}");
        }
    };
    is_temporary("made", true).await;
    let signed_in = sign_in(server, &first).await.is(200);
    let change = json!({"currentPassword": first, "newPassword": "Chosen-Pass-1!"});
    server.post(&token(&signed_in), PASSWORD, change).await.is(200);
    is_temporary("chosen", false).await;
    server
        .post(&server.admin, &format!("{path}/password"), Value::Null)
        .await
        .is(200);
    is_temporary("reset", true).await;
    let kept = json!({"email": "kept@example.com", "resetPassword": false});
    let kept = server.post(&server.admin, ALL, kept).await.is(201);
    let kept = format!("{ALL}/{}", kept["id"].as_str().unwrap());
    let kept = server.get(&server.admin, &kept).await.is(200);
    assert_eq!(kept["temporaryPassword"], false);
}
