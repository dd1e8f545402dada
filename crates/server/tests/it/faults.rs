//! Faults of our own: a panic, a database that is gone.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use reeve_api::health::HealthOperation;
use reeve_server::app::App;
use reeve_server::caller::Asker;
use reeve_server::error::ApiError;
use reeve_server::middleware;
use serde_json::json;

use crate::server::{OrganizationFixture, Server, rule};

#[tokio::test]
async fn a_handler_that_panics_is_answered_with_500_and_tells_nothing() {
    let mut server = Server::new().await;
    async fn handler() -> &'static str {
        panic!("a value nobody may see")
    }
    let state = (Arc::clone(&server.app), HealthOperation::Healthz.row());
    let route = get(handler).layer(from_fn_with_state(state, middleware::operation));
    server.router = Router::new().route("/panics", route);
    let answer = server.get("", "/panics").await;
    let message = answer.refused(500);
    assert!(!message.contains("nobody may see"), "{message}");
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn a_change_that_panics_ends_alone() {
    let organization = OrganizationFixture::new().await;
    let change = organization
        .server
        .app
        .change::<(), _>(Asker::System, |_app: Arc<App>| async { panic!("in the middle") });
    assert!(matches!(change.await, Err(ApiError::Internal(_))));
    organization.server.rule(("group", "g"), 9, ("tenant", "1")).await;
    organization
        .server
        .get(&organization.alice, "/api/v1/org-unit/projects")
        .await
        .is(200);
}

#[tokio::test]
async fn without_its_database_the_server_says_so_and_decides_nothing() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    server.sql.close().await;
    let answer = server.get("", "/readyz").await;
    assert_eq!(answer.refused(503), "not ready");
    assert_eq!(answer.json()["details"], "the database does not answer");
    server.get("", "/healthz").await.is(200);
    let body = rule(("group", "g"), 9, ("tenant", "1"));
    server
        .post(&server.admin, "/api/v1/authorization/access-rules", body)
        .await
        .refused(503);
    // Whether that was committed is unknown, so who may what is unknown too.
    for token in [&server.admin, &organization.alice] {
        let answer = server.get(token, "/api/v1/me").await;
        answer.refused(503);
        assert_eq!(answer.headers["retry-after"], "1");
    }
    server
        .post(
            "",
            "/api/v1/token",
            json!({"grantType": "app_token", "appId": "ci", "appSecret": "x"}),
        )
        .await
        .refused(503);
}

#[tokio::test]
async fn no_answer_is_to_be_kept_by_anybody_on_the_way() {
    let organization = OrganizationFixture::new().await;
    for (token, path) in [
        (&organization.alice, "/api/v1/me"),
        (&String::new(), "/api/v1/me"),
    ] {
        assert_eq!(
            organization.server.get(token, path).await.headers["cache-control"],
            "no-store"
        );
    }
}
