//! Secrets planted in every input appear in no log, audit entry or error.

use std::io::Write;
use std::sync::{Mutex, Once};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http_body_util::BodyExt;
use reeve_testkit::Database;
use reeve_types::CredentialAssetKind;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::audit::events;
use crate::credentials;
use crate::server::{ADMIN, ADMIN_PASSWORD, OrganizationFixture};

/// Part of every planted secret.
const PLANTED: &str = "Pl4nted-S3cret!";

/// What was logged by every thread of the process, the database's workers among them.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// One test of this file at a time: they read the same log. Other tests write to it too, and are held to the same.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Writes to the log.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Logs everything there is to log, of whatever level and crate.
async fn listen() -> tokio::sync::MutexGuard<'static, ()> {
    static ONCE: Once = Once::new();
    let turn = TURN.lock().await;
    ONCE.call_once(|| {
        let subscriber = reeve_server::logging::json(EnvFilter::new("trace"), || Log);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LOG.lock().unwrap().clear();
    turn
}

fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

/// What a careless logger would do.
async fn careless(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    tracing::info!(body = %String::from_utf8_lossy(&bytes), headers = ?parts.headers, "request");
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// Sends a planted secret through every input that may hold one; the texts of all refusals.
async fn plant(organization: &OrganizationFixture) -> String {
    let server = &organization.server;
    let admin = server.admin.as_str();
    let mut refusals = String::new();
    let inputs: Vec<(&str, Method, &str, Value)> = vec![
        (
            "",
            Method::POST,
            "/api/v1/token",
            json!({"grantType": "password", "username": ADMIN, "password": PLANTED}),
        ),
        (
            "",
            Method::POST,
            "/api/v1/token",
            json!({"grantType": "password", "username": PLANTED, "password": PLANTED}),
        ),
        (
            "",
            Method::POST,
            "/api/v1/token",
            json!({"grantType": "password", "username": ADMIN, "password": [PLANTED]}),
        ),
        (
            "",
            Method::POST,
            "/api/v1/token",
            json!({"grantType": "app_token", "AppId": "ci", "AppSecret": PLANTED}),
        ),
        (
            "",
            Method::POST,
            "/api/v1/token",
            json!({"grantType": PLANTED, "refreshToken": PLANTED}),
        ),
        ("", Method::POST, "/api/v1/token", json!(PLANTED)),
        (
            "",
            Method::POST,
            "/link/v1/token",
            json!({"clusterId": organization.cluster, "clientSecret": PLANTED}),
        ),
        (
            "",
            Method::POST,
            "/link/v1/token",
            json!({"clusterId": PLANTED, "clientSecret": PLANTED}),
        ),
        (
            "",
            Method::POST,
            "/link/v1/token",
            json!({"clusterId": organization.cluster, "clientSecret": {"x": PLANTED}}),
        ),
        (PLANTED, Method::GET, "/api/v1/me", Value::Null),
        (PLANTED, Method::POST, "/link/v1/watch", json!({})),
        (
            admin,
            Method::GET,
            "/api/v1/users?search=Pl4nted-S3cret!",
            Value::Null,
        ),
        (
            admin,
            Method::GET,
            "/api/v1/users?filterBy=username==Pl4nted-S3cret!",
            Value::Null,
        ),
        (
            admin,
            Method::GET,
            "/api/v1/users?limit=Pl4nted-S3cret!",
            Value::Null,
        ),
        (admin, Method::GET, "/nope/Pl4nted-S3cret!", Value::Null),
        (
            admin,
            Method::POST,
            "/api/v1/users",
            json!({"email": "x@example.com", "resetPassword": PLANTED}),
        ),
        (
            admin,
            Method::POST,
            "/api/v1/users",
            json!({"email": "y@example.com", "posix": {"uid": PLANTED, "gid": 1}}),
        ),
        (
            admin,
            Method::POST,
            "/api/v1/clusters",
            json!({"name": "y", "domain": [PLANTED]}),
        ),
    ];
    for (token, method, path, body) in inputs {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = server.call(token, method, path, text).await;
        if answer.status.is_client_error() || answer.status.is_server_error() {
            refusals.push_str(&answer.text);
        }
    }
    refusals.push_str(&plant_credentials(organization).await);
    // Secrets that are taken, and a refusal right beside them.
    let spec = json!({"image": "i", "environmentVariables": [{"name": "TOKEN", "value": PLANTED}]});
    let training = json!({"name": "train", "projectId": organization.robots, "clusterId": organization.cluster, "spec": spec});
    server
        .post(
            &organization.alice,
            "/api/v1/workloads/trainings",
            training.clone(),
        )
        .await
        .is(202);
    let again = server
        .post(&organization.alice, "/api/v1/workloads/trainings", training)
        .await;
    again.refused(409);
    refusals.push_str(&again.text);
    let wrong = json!({"image": "i", "environmentVariables": [{"name": "T", "value": {"x": PLANTED}}]});
    let wrong = json!({"name": "t", "projectId": organization.robots, "clusterId": organization.cluster, "spec": wrong});
    refusals.push_str(
        &server
            .post(&organization.alice, "/api/v1/workloads/trainings", wrong)
            .await
            .text,
    );
    let broken = format!("{{\"password\": \"{PLANTED}\",");
    refusals.push_str(&server.call("", Method::POST, "/api/v1/token", broken).await.text);
    refusals
}

/// The planted secret as every value of every kind of credential: taken, taken again, of the wrong form, and where none belongs.
async fn plant_credentials(organization: &OrganizationFixture) -> String {
    let server = &organization.server;
    let admin = server.admin.as_str();
    let mut refusals = String::new();
    for kind in CredentialAssetKind::ALL {
        let path = format!("/api/v1/asset/credentials/{}", kind.slug());
        let meta = json!({"name": kind.slug(), "scope": "tenant"});
        let value = if kind == CredentialAssetKind::NgcApiKey {
            "nvapi-0"
        } else {
            PLANTED
        };
        let taken = json!({"meta": meta, "spec": credentials::spec(kind.slug(), value)});
        server.post(admin, &path, taken.clone()).await.is(202);
        let wrong = json!({"meta": meta, "spec": {"password": [PLANTED], "keyValuePairs": PLANTED, "ngc_api_key": PLANTED}});
        let misplaced =
            json!({"meta": {"name": PLANTED, "scope": PLANTED, "projectId": PLANTED}, "spec": PLANTED});
        let narrow = json!({"meta": {"name": "x", "scope": "project", "projectId": 99}, "spec": credentials::spec(kind.slug(), value)});
        for body in [taken.clone(), wrong, misplaced, narrow] {
            let answer = server.post(admin, &path, body).await;
            assert!(answer.status.is_client_error(), "{}", answer.text);
            refusals.push_str(&answer.text);
        }
        // Who may not is refused before anything is looked at.
        refusals.push_str(&server.post(&organization.bob, &path, taken).await.text);
        refusals.push_str(
            &server
                .get(admin, &format!("{path}?projectId={PLANTED}"))
                .await
                .text,
        );
        let one = format!("{path}/00000000-0000-4000-8000-000000000000");
        let put = server.call(
            admin,
            Method::PUT,
            &one,
            json!({"spec": {"password": PLANTED}}).to_string(),
        );
        refusals.push_str(&put.await.text);
    }
    refusals
}

/// Every secret that must not show: the planted one, and those the server made.
async fn search(organization: &OrganizationFixture) -> Vec<String> {
    let refusals = plant(organization).await;
    let server = &organization.server;
    let made = server
        .post(
            &server.admin,
            "/api/v1/users",
            json!({"email": "new@example.com"}),
        )
        .await
        .is(201);
    let account = server
        .post(&server.admin, "/api/v1/service-accounts", json!({"name": "new"}))
        .await
        .is(201);
    let body = json!({"grantType": "password", "username": ADMIN, "password": ADMIN_PASSWORD});
    let token = server.post("", "/api/v1/token", body).await.is(200);
    let link = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let audit: Vec<_> = events(server)
        .await
        .iter()
        .map(|it| serde_json::to_string(&it.entry).unwrap())
        .collect();
    let audit = audit.join("\n");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = [
        PLANTED.to_owned(),
        ADMIN_PASSWORD.to_owned(),
        text(&made["tempPassword"]),
        text(&account["clientSecret"]),
        text(&token["accessToken"]),
        organization.secret.clone(),
        organization.alice.clone(),
        link,
    ];
    let mut found = Vec::new();
    for secret in secrets {
        for (place, text) in [("log", &logged()), ("audit", &audit), ("errors", &refusals)] {
            if text.contains(&secret) {
                found.push(format!("{secret} in {place}"));
            }
        }
    }
    found
}

#[tokio::test]
async fn no_secret_shows_in_log_audit_or_error() {
    let _turn = listen().await;
    let organization = OrganizationFixture::new().await;
    assert_eq!(search(&organization).await, Vec::<String>::new());
    let log = logged();
    let statements = match reeve_testkit::database() {
        Database::Sqlite => "\"target\":\"reeve_store_sql::driver::sqlite\"",
        Database::Postgres => "\"target\":\"sqlx::query\"",
    };
    for line in ["\"operation\":\"grant_token\"", "\"status\":202", statements] {
        assert!(log.contains(line), "{line} is not in the log");
    }
}

#[tokio::test]
async fn a_careless_logger_turns_that_red() {
    let _turn = listen().await;
    let mut organization = OrganizationFixture::new().await;
    organization.server.router = organization.server.router.clone().layer(from_fn(careless));
    let found = search(&organization).await;
    assert!(
        found.iter().any(|it| it.starts_with(PLANTED)) && found.len() >= 4,
        "{found:?}"
    );
}
