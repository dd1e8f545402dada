//! Access keys: programs that act as the person who made them.

use std::sync::Arc;

use axum::http::Method;
use reeve_store::{AuditAction, Outcome};
use reeve_types::UserId;
use serde_json::{Value, json};

use crate::audit::events;
use crate::clusters::claims;
use crate::database::holds;
use crate::server::{Answer, OrganizationFixture, SESSION_SECONDS, Server, Transcript};

const KEYS: &str = "/api/v1/access-keys";
const APPLICATIONS: &str = "/api/v1/user-applications";
const OTHERS: &str = "/api/v1/administration/access-keys";

/// A key as its creation answers it.
async fn key(server: &Server, token: &str, name: &str) -> Value {
    server.post(token, KEYS, json!({"name": name})).await.is(201)
}

async fn try_sign_in(server: &Server, made: &Value) -> Answer {
    let body = json!({"grantType": "client_credentials", "clientId": made["clientId"], "clientSecret": made["clientSecret"]});
    server.post("", "/api/v1/token", body).await
}

async fn sign_in(server: &Server, made: &Value) -> String {
    let answer = try_sign_in(server, made).await.is(200);
    answer["accessToken"].as_str().unwrap().to_owned()
}

fn path(made: &Value) -> String {
    format!("{KEYS}/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn access_keys_are_made_listed_renewed_and_deleted() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (admin, alice, bob) = (&server.admin, &organization.alice, &organization.bob);
    let mut page = Transcript::of(server);
    let made = page
        .post("success", alice, KEYS, json!({"name": "notebook"}))
        .await
        .is(201);
    page.get("one: the secret is not readable", alice, &path(&made))
        .await
        .is(200);
    page.get("the list", alice, KEYS).await.is(200);
    page.post("taken", alice, KEYS, json!({"name": "notebook"}))
        .await
        .refused(409);
    page.post("a bad name", alice, KEYS, json!({"name": "_x"}))
        .await
        .refused(400);
    let older = page
        .post("by the older name", alice, APPLICATIONS, json!({"name": "older"}))
        .await
        .is(201);
    page.get("a bare array by the older name", alice, APPLICATIONS)
        .await
        .is(200);
    page.get("another's is not there", bob, &path(&made))
        .await
        .refused(404);
    page.delete("another's is not deleted", bob, &path(&made))
        .await
        .refused(404);
    page.post(
        "another's is not renewed",
        bob,
        &format!("{}/secret", path(&made)),
        Value::Null,
    )
    .await
    .refused(404);
    page.get("an application has none", &organization.ci, KEYS)
        .await
        .refused(403);
    page.post(
        "an application makes none",
        &organization.ci,
        KEYS,
        json!({"name": "ci"}),
    )
    .await
    .refused(403);
    page.get("everybody's, for the administrator", admin, OTHERS)
        .await
        .is(200);
    page.get(
        "of one owner",
        admin,
        &format!("{OTHERS}?createdBy=bob%40example.com"),
    )
    .await
    .is(200);
    let client_id = made["clientId"].as_str().unwrap();
    page.get(
        "of one client id",
        admin,
        &format!("{OTHERS}?clientId={client_id}"),
    )
    .await
    .is(200);
    page.get("everybody's, for others", alice, OTHERS)
        .await
        .refused(403);
    page.post(
        "a new secret",
        alice,
        &format!("{APPLICATIONS}/{}/secret", older["id"].as_str().unwrap()),
        Value::Null,
    )
    .await
    .is(200);
    page.delete("deleted", alice, &path(&made)).await.is(204);
    page.delete("deleted before", alice, &path(&made))
        .await
        .refused(404);
    page.delete(
        "by the administrator",
        admin,
        &format!("{OTHERS}/{}", older["id"].as_str().unwrap()),
    )
    .await
    .is(204);
    insta::assert_snapshot!(page.page());
    assert_eq!(server.get(alice, KEYS).await.is(200), json!({"accessKeys": []}));
}

/// The rules that name her and nothing else, from the next request on. Planted fault: the principal of a key's session taken when the
/// session begins.
#[tokio::test]
async fn a_key_has_the_rights_that_its_owner_has_at_that_moment() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let made = key(server, &organization.alice, "notebook").await;
    let token = sign_in(server, &made).await;
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me, server.get(&organization.alice, "/api/v1/me").await.is(200));
    assert_eq!(me["id"], organization.alice_id.to_string());
    let project = format!("/api/v1/org-unit/projects/{}", organization.robots);
    server.get(&token, &project).await.is(200);
    let kubernetes = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
    let for_cluster = server.post(&token, &kubernetes, Value::Null).await.is(200);
    assert_eq!(claims(for_cluster["token"].as_str().unwrap())["uid"], "70012");
    let rule = format!("/api/v1/authorization/access-rules/{}", organization.alice_rule);
    server.delete(&server.admin, &rule).await.is(204);
    server.get(&token, &project).await.refused(403);
    server.post(&token, &kubernetes, Value::Null).await.refused(403);
    // What she gets meanwhile is the key's as well.
    let again = server
        .rule(
            ("user", "alice@example.com"),
            9,
            ("department", &organization.vision),
        )
        .await;
    assert!(again > 0);
    server.get(&token, &project).await.is(200);
}

/// Groups and numbers of an identity provider count in a key's session as long as a session of the owner's own shows them. Planted
/// faults: `Directory::shown_by` without the look at the end of the session behind, and with the groups kept in the key's session.
#[tokio::test]
async fn groups_count_for_a_key_as_long_as_a_session_of_its_owner_shows_them() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server
        .rule(("group", "ml"), 9, ("project", &organization.robots))
        .await;
    let (carol, local) = server.user("carol@example.com", Value::Null).await;
    let project = format!("/api/v1/org-unit/projects/{}", organization.robots);
    let made = key(server, &local, "notebook").await;
    let before = sign_in(server, &made).await;
    server.get(&before, &project).await.refused(403);
    let posix = json!({"uid": 61_000, "gid": 5000, "supplementaryGroups": []});
    let session = server.provided(carol, &["ml", "vpn"], posix).await;
    // Not within the minute for which a session is gone on with, and not in one that began before.
    server.get(&before, &project).await.refused(403);
    server.clock.advance_seconds(100);
    let token = sign_in(server, &made).await;
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["groups"], &me["posix"]["uid"], &me["posixSource"]),
        (&json!(["ml", "vpn"]), &json!(61_000), &json!("identity-provider"))
    );
    server.get(&token, &project).await.is(200);
    server
        .delete(&server.admin, &format!("/api/v1/sessions/{}", session.id))
        .await
        .is(204);
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!((&me["groups"], &me["posix"]), (&json!([]), &Value::Null));
    server.get(&token, &project).await.refused(403);
    // And by itself, while the key's own session goes on.
    server.provided(carol, &["ml"], Value::Null).await;
    server.clock.advance_seconds(SESSION_SECONDS - 100);
    let token = sign_in(server, &made).await;
    server.get(&token, &project).await.is(200);
    server.clock.advance_seconds(150);
    server.get(&token, "/api/v1/me").await.is(200);
    server.get(&token, &project).await.refused(403);
}

/// At once and on every server: with a new secret, with its deletion by whomever, with its owner. What ends only sessions leaves the
/// key. Planted fault: `sessions::end_of_key` answered with none.
#[tokio::test]
async fn a_key_ends_with_its_secret_its_deletion_and_its_owner() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let replica = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    let is_out = async |token: &str| {
        server.get(token, "/api/v1/me").await.refused(401);
        replica.app.catch_up().await.unwrap();
        replica.get(token, "/api/v1/me").await.refused(401);
    };
    let alice = &organization.alice;
    let mut made = key(server, alice, "notebook").await;
    let kept = key(server, alice, "kept").await;
    let kept_token = sign_in(server, &kept).await;
    let old = sign_in(server, &made).await;
    replica.get(&old, "/api/v1/me").await.is(200);
    let fresh = server
        .post(alice, &format!("{}/secret", path(&made)), Value::Null)
        .await
        .is(200);
    is_out(&old).await;
    try_sign_in(server, &made).await.refused(400);
    made["clientSecret"] = fresh["clientSecret"].clone();
    let token = sign_in(server, &made).await;

    // Somebody found a key: it makes no other, and gives itself no other secret.
    for (method, path) in [
        (Method::POST, KEYS.to_owned()),
        (Method::POST, APPLICATIONS.to_owned()),
        (Method::POST, format!("{}/secret", path(&kept))),
        (Method::POST, format!("{}/secret", path(&made))),
    ] {
        let body = if path.ends_with("secret") {
            json!({})
        } else {
            json!({"name": "mine"})
        };
        let said = server
            .call(&token, method, &path, body.to_string())
            .await
            .refused(403);
        assert!(said.contains("sign in yourself"), "{said}");
    }

    server.delete(alice, &path(&made)).await.is(204);
    is_out(&token).await;
    try_sign_in(server, &made).await.refused(400);
    server.get(&kept_token, "/api/v1/me").await.is(200);
    let third = key(server, alice, "third").await;
    let token = sign_in(server, &third).await;
    let id = third["id"].as_str().unwrap();
    server
        .delete(&server.admin, &format!("{OTHERS}/{id}"))
        .await
        .is(204);
    is_out(&token).await;
    try_sign_in(server, &third).await.refused(400);

    let user = format!("/api/v1/users/{}", organization.alice_id);
    for ends_sessions in ["logout", "password"] {
        let token = sign_in(server, &kept).await;
        server
            .post(&server.admin, &format!("{user}/{ends_sessions}"), Value::Null)
            .await
            .is(200);
        is_out(&token).await;
    }
    let token = sign_in(server, &kept).await;
    server.delete(&server.admin, &user).await.is(204);
    is_out(&token).await;
    try_sign_in(server, &kept).await.refused(400);
    // Whoever is called as she was inherits none.
    server.clock.advance_seconds(reeve_store::EMAIL_RESTS_SECONDS);
    let (_, second) = server.user("alice@example.com", Value::Null).await;
    assert_eq!(server.get(&second, KEYS).await.is(200), json!({"accessKeys": []}));
    try_sign_in(server, &kept).await.refused(400);
}

#[tokio::test]
async fn somebody_has_twenty_keys_and_their_secrets_are_kept_nowhere() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let mut secrets = Vec::new();
    for number in 0..20 {
        let made = key(server, &organization.bob, &format!("key-{number}")).await;
        secrets.push(made["clientSecret"].as_str().unwrap().to_owned());
    }
    let said = server
        .post(&organization.bob, KEYS, json!({"name": "one-more"}))
        .await
        .refused(409);
    assert!(said.contains("you have 20 access keys"), "{said}");
    key(server, &organization.alice, "hers").await;
    let kept = server.dir.beside().everything().await;
    for secret in &secrets {
        assert!(!holds(&kept, secret), "a secret is kept as it is");
    }
}

/// Whose key it was, and what was done by it.
#[tokio::test]
async fn what_a_key_does_is_recorded_with_the_key() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let before = events(server).await.len();
    let made = key(server, &server.admin, "robot").await;
    let token = sign_in(server, &made).await;
    for _ in 0..3 {
        try_sign_in(server, &made).await.is(200);
    }
    server
        .post(&token, "/api/v1/users", json!({"email": "dave@example.com"}))
        .await
        .is(201);
    let mut wrong = made.clone();
    wrong["clientSecret"] = json!("wrong");
    try_sign_in(server, &wrong).await.refused(400);
    server.delete(&server.admin, &path(&made)).await.is(204);
    let id = &made["id"];
    let told: Vec<_> = events(server)
        .await
        .into_iter()
        .skip(before)
        .map(|event| event.entry)
        .collect();
    let shown: Vec<_> = told
        .iter()
        .map(|entry| {
            let by_key = entry.metadata.get("access_key").is_some_and(|key| id == key);
            (entry.action, entry.entity_type.as_str(), entry.result, by_key)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (AuditAction::Create, "access-keys", Outcome::Succeeded, false),
            (AuditAction::SignIn, "users", Outcome::Succeeded, true),
            (AuditAction::Create, "users", Outcome::Succeeded, true),
            (AuditAction::Delete, "access-keys", Outcome::Succeeded, false),
            (AuditAction::SignIn, "users", Outcome::Failed, false),
        ]
    );
    assert!(
        told.iter().all(|entry| entry.subject == crate::server::ADMIN),
        "{told:?}"
    );
    // Among her sessions it shows as what it is.
    let admin: UserId = server
        .app
        .directory()
        .user_by_email(&crate::server::ADMIN.parse().unwrap())
        .unwrap()
        .id;
    let sessions = server
        .get(&server.admin, &format!("/api/v1/users/{admin}/sessions"))
        .await
        .is(200);
    let methods: Vec<_> = sessions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["method"].clone())
        .collect();
    assert!(methods.contains(&json!("access-key")), "{methods:?}");
}
