//! Signing in, and every token that is not good.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use base64::Engine;
use reeve_api::{Access, OPERATIONS};
use reeve_identity::Audience;
use serde_json::{Value, json};

use crate::clusters::claims;
use crate::server::{ADMIN, ADMIN_PASSWORD, Answer, OrganizationFixture, Server, Transcript, URL, forged};

const TOKEN: &str = "/api/v1/token";

#[tokio::test]
async fn bad_credentials_are_400_in_one_sentence_whoever_exists() {
    let server = Server::new().await;
    let mut page = Transcript::of(&server);
    let password =
        |name: &str, word: &str| json!({"grantType": "password", "username": name, "password": word});
    page.post("success", "", TOKEN, password(ADMIN, ADMIN_PASSWORD))
        .await
        .is(200);
    page.post("wrong", "", TOKEN, password(ADMIN, "Wrong-Pass-1!"))
        .await
        .refused(400);
    page.post(
        "nobody",
        "",
        TOKEN,
        password("nobody@example.com", "Wrong-Pass-1!"),
    )
    .await
    .refused(400);
    page.post("no email", "", TOKEN, password("x", "Wrong-Pass-1!"))
        .await
        .refused(400);
    let secret = json!({"grantType": "client_credentials", "clientID": "ci", "clientSecret": "wrong"});
    page.post("no such client", "", TOKEN, secret).await.refused(400);
    let nulls = json!({"grantType": "app_token", "AppId": null, "AppSecret": null});
    page.post("null credentials", "", TOKEN, nulls).await.refused(400);
    page.post(
        "another grant",
        "",
        TOKEN,
        json!({"grantType": "refresh_token", "refreshToken": "x"}),
    )
    .await
    .refused(400);
    page.post("none", "", TOKEN, json!({})).await.refused(400);
    insta::assert_snapshot!(page.page());
}

#[tokio::test]
async fn a_token_is_what_the_references_client_can_read() {
    let server = Server::new().await;
    let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    let answer = server.post("", TOKEN, body).await.is(200);
    assert_eq!(answer["expiresIn"], 36_000);
    let claims = claims(answer["accessToken"].as_str().unwrap());
    assert_eq!(
        (&claims["aud"], &claims["iss"]),
        (&json!("reeve-api"), &json!(format!("{URL}/auth/realms/runai")))
    );
    assert_eq!(claims["exp"], 1_700_000_000 + 36_000);
}

/// No operation that asks for a token takes this one, and nothing changes by trying.
async fn is_good_for_nothing(organization: &OrganizationFixture, what: &str, token: &str) {
    let before = organization.server.app.store.directory().await.unwrap();
    let alice = organization.alice_id.to_string();
    let rule = organization.alice_rule.to_string();
    let account = organization.ci_id.to_string();
    for operation in OPERATIONS.iter().filter(|it| it.access != Access::Public) {
        let path = operation
            .path
            .split('/')
            .map(|part| match part {
                "{clusterUuid}" => &organization.cluster,
                "{departmentId}" => &organization.vision,
                "{projectId}" => &organization.robots,
                "{userId}" => &alice,
                "{sessionId}" => &rule,
                "{serviceAccountId}" => &account,
                "{accessRuleId}" => &rule,
                part => part,
            })
            .collect::<Vec<_>>()
            .join("/");
        // Whatever the operation makes of it: it is not read.
        let body = json!({"name": "unwanted", "email": "unwanted@example.com", "clusterId": organization.cluster, "enabled": false});
        let answer = organization
            .server
            .call(token, operation.method.into(), &path, body.to_string())
            .await;
        assert!(!answer.refused(401).is_empty(), "{what}: {path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    assert_eq!(
        organization.server.app.store.directory().await.unwrap(),
        before,
        "{what}"
    );
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let organization = OrganizationFixture::new().await;
    organization
        .server
        .get(&organization.alice, "/api/v1/me")
        .await
        .is(200);
    organization.server.clock.advance_seconds(35_999);
    organization
        .server
        .get(&organization.alice, "/api/v1/me")
        .await
        .is(200);
    organization.server.clock.advance_seconds(1);
    let message = organization
        .server
        .get(&organization.alice, "/api/v1/me")
        .await
        .refused(401);
    assert!(message.contains("expired"), "{message}");
    is_good_for_nothing(&organization, "expired", &organization.alice).await;
    is_good_for_nothing(
        &organization,
        "expired, the administrator's",
        &organization.server.admin,
    )
    .await;
}

/// A token whose claims are changed but whose signature is kept.
fn altered(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let mut body = claims(token);
    change(&mut body);
    parts[1] = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(body.to_string());
    parts.join(".")
}

#[tokio::test]
async fn a_foreign_altered_or_unsigned_token_is_refused() {
    let organization = OrganizationFixture::new().await;
    let now = organization.server.clock.now();
    let issuer = format!("{URL}/auth/realms/runai");
    let unsigned = {
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.",
            part(r#"{"alg":"none"}"#),
            part(&claims(&organization.alice).to_string())
        )
    };
    let bad = [
        (
            "another key",
            forged(&issuer, Audience::Rest, 3600, now, &organization.alice_id),
        ),
        (
            "another issuer",
            forged(
                "https://evil.test",
                Audience::Rest,
                3600,
                now,
                &organization.alice_id,
            ),
        ),
        (
            "altered",
            altered(&organization.bob, |body| {
                body["sub"] = json!(organization.alice_id.to_string())
            }),
        ),
        ("unsigned", unsigned),
        ("no token", "nonsense".to_owned()),
        ("three parts of nothing", "a.b.c".to_owned()),
    ];
    for (what, token) in bad {
        is_good_for_nothing(&organization, what, &token).await;
    }
    is_good_for_nothing(&organization, "none", "").await;
}

#[tokio::test]
async fn no_audience_accepts_anothers_tokens() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let path = format!("/api/v1/clusters/{}/kubernetes-token", organization.cluster);
    let cluster = server
        .call(&organization.alice, Method::POST, &path, "")
        .await
        .is(200);
    let cluster = cluster["token"].as_str().unwrap();
    let hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "test"});
    for (what, token) in [("link", link.as_str()), ("cluster", cluster)] {
        let message = server.get(token, "/api/v1/me").await.refused(401);
        assert!(message.contains("another audience"), "{what}: {message}");
        is_good_for_nothing(&organization, what, token).await;
    }
    for (what, token) in [
        ("REST", organization.alice.as_str()),
        ("the administrator's", &server.admin),
        ("cluster", cluster),
    ] {
        let message = server
            .post(token, "/link/v1/watch", hello.clone())
            .await
            .refused(401);
        assert!(message.contains("another audience"), "{what}: {message}");
        server
            .post(token, "/link/v1/status", json!({}))
            .await
            .refused(401);
    }
    server.post("", "/link/v1/watch", hello).await.refused(401);
}

/// A sign-in from an address.
async fn sign_in(server: &Server, from: [u8; 4], name: &str, word: &str) -> Answer {
    let body = json!({"grantType": "password", "username": name, "password": word});
    let mut request = Request::post(TOKEN).body(Body::from(body.to_string())).unwrap();
    let from = SocketAddr::from((from, 40_000));
    request.extensions_mut().insert(ConnectInfo(from));
    server.send(request).await
}

/// Sixscore guess at these names without end until the administrator, from elsewhere, has signed in: what was turned away,
/// and her answer.
async fn flood(server: &Server, name: impl Fn(u8) -> String) -> (Vec<Answer>, Answer) {
    let over = AtomicBool::new(false);
    let guess = async |n: u8| {
        let mut busy = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let answer = sign_in(server, [10, 0, 0, 1], &name(n), "Wrong-Pass-1!").await;
            if answer.status == 503 {
                busy.push(answer);
                tokio::time::sleep(Duration::from_millis(5)).await;
            } else {
                answer.refused(400);
            }
        }
        busy
    };
    let administrator = async {
        // Until the guesses have asked the database who that is, and fill what they can.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let answer = sign_in(server, [10, 0, 0, 2], ADMIN, ADMIN_PASSWORD).await;
        over.store(true, Ordering::SeqCst);
        answer
    };
    let guesses = futures::future::join_all((0..120).map(guess));
    // A server serves each in a task of its own; in one task the guesses would take all of what the executor lets it do at a time.
    let administrator = tokio::task::unconstrained(administrator);
    let (busy, administrator) = futures::future::join(guesses, administrator).await;
    (busy.into_iter().flatten().collect(), administrator)
}

#[tokio::test]
async fn too_many_guesses_at_once_are_503_and_leave_room_for_others() {
    let server = Server::new().await;
    let (busy, administrator) = flood(&server, |_| "alice@example.com".to_owned()).await;
    assert!(busy.len() > 50, "{} were turned away", busy.len());
    busy[0].refused(503);
    assert_eq!(busy[0].headers["retry-after"], "1");
    administrator.is(200);
}

#[tokio::test]
async fn the_break_glass_administrator_signs_in_through_a_flood_of_names() {
    let server = Server::new().await;
    let (busy, administrator) = flood(&server, |n| format!("nobody-{n}@example.com")).await;
    assert!(busy.len() > 20, "{} were turned away", busy.len());
    administrator.is(200);
}

#[tokio::test]
async fn the_break_glass_administrator_signs_in_while_somebody_guesses_at_her_name() {
    let server = Server::new().await;
    let (busy, administrator) = flood(&server, |_| ADMIN.to_owned()).await;
    assert!(busy.len() > 50, "{} were turned away", busy.len());
    administrator.is(200);
}

/// Planted fault: the id says which application it is.
#[tokio::test]
async fn an_older_client_gets_an_applications_token_by_its_name_and_secret() {
    let server = Server::new().await;
    let made = server
        .post(&server.admin, "/api/v1/apps", json!({"name": "older"}))
        .await
        .is(201);
    let secret = made["secret"].as_str().unwrap();
    let path = "/v1/k8s/auth/oauth/apptoken";
    let ask = async |name: &str, secret: &str| {
        let body = json!({"id": made["id"], "name": name, "secret": secret});
        server.post("", path, body).await
    };
    let given = ask("older", secret).await.is(200);
    assert_eq!(given["id_token"], given["access_token"]);
    let me = server
        .get(given["access_token"].as_str().unwrap(), "/api/v1/me")
        .await
        .is(200);
    assert_eq!(me["username"], "older", "{me}");
    // One sentence, whoever exists, and never 401.
    let wrong = ask("older", "wrong").await.refused(400);
    assert_eq!(ask("nobody", secret).await.refused(400), wrong);
    assert!(!wrong.contains("older") && !wrong.contains("wrong"), "{wrong}");
    for (body, field) in [
        (json!({"id": "", "name": "", "secret": secret}), "`name`"),
        (json!({"id": "", "name": "older"}), "`secret`"),
    ] {
        let said = server.post("", path, body).await.refused(400);
        assert!(said.contains(field) && !said.contains(secret), "{said}");
    }
}
