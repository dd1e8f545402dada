//! What the holder of a stolen link secret can do, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use reeve_server::caller::Asker;
use reeve_store::{Committed, Outcome};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::audit::events;
use crate::link::Watch;
use crate::server::{OrganizationFixture, Server};

fn settings(host: &str) -> Value {
    json!({"settings": {
        "enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.37.2",
        "operatorVersion": "0.1.0", "policyAlarms": [],
        "kubernetesEndpoint": {"server": format!("https://{host}:6443"), "certificateAuthorityData": "Q0E="},
    }})
}

async fn report(server: &Server, token: &str, body: Value) -> crate::server::Answer {
    server.post(token, "/link/v1/status", body).await
}

struct Paths {
    cluster: String,
    endpoint: String,
    secret: String,
}

fn paths(organization: &OrganizationFixture) -> Paths {
    let cluster = format!("/api/v1/clusters/{}", organization.cluster);
    Paths {
        endpoint: format!("{cluster}/kubernetes-endpoint"),
        secret: format!("{cluster}/secret"),
        cluster,
    }
}

/// Where a person's tokens go.
async fn served(organization: &OrganizationFixture) -> Value {
    let answer = organization
        .server
        .get(&organization.alice, &paths(organization).endpoint)
        .await
        .is(200);
    answer["server"].clone()
}

/// Planted fault: an endpoint that is taken from the last report sends alice to the thief.
#[tokio::test]
async fn a_stolen_link_secret_redirects_nobody() {
    let organization = OrganizationFixture::new().await;
    let (server, path) = (&organization.server, paths(&organization));
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let before = events(server).await.len();
    report(server, &token, settings("true.example")).await.is(204);
    assert_eq!(served(&organization).await, "https://true.example:6443");

    // The thief says so again and again, and a restart believes it no more.
    let thief = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    for _ in 0..5 {
        report(server, &thief, settings("thief.example")).await.is(204);
        assert_eq!(served(&organization).await, "https://true.example:6443");
        report(server, &token, settings("true.example")).await.is(204);
    }
    let shown = server.get(&server.admin, &path.cluster).await.is(200);
    let condition = &shown["status"]["conditions"][0];
    assert_eq!(
        (&condition["type"], &condition["reason"]),
        (&json!("KubernetesEndpoint"), &json!("ReportedAnother"))
    );
    let message = condition["message"].as_str().unwrap();
    assert!(
        message.contains("`https://thief.example:6443`")
            && message.contains("still sent to `https://true.example:6443`"),
        "{message}"
    );
    let told: Vec<_> = events(server).await.split_off(before);
    let told: Vec<_> = told
        .iter()
        .filter(|row| row.entry.metadata.contains_key("endpoint"))
        .map(|row| {
            (
                row.entry.metadata["endpoint"].as_str(),
                row.entry.metadata["kubernetesEndpoint"].as_str(),
            )
        })
        .collect();
    let wanted = [
        ("pinned", "https://true.example:6443"),
        ("differs; not served", "https://thief.example:6443"),
    ];
    assert_eq!(told, wanted, "once each, however often it is said");

    // Neither does anybody with less than the right to change clusters.
    let body = json!({"kubernetesEndpoint": {"server": "https://moved.example:6443", "certificateAuthorityData": "Q0E="}});
    let patch = async |token: &str, body: &Value| {
        server
            .call(token, Method::PATCH, &path.cluster, body.to_string())
            .await
    };
    patch(&organization.alice, &body).await.refused(403);
    patch(&thief, &body).await.refused(401);
    for (bad, field) in [
        (json!({}), "kubernetesEndpoint"),
        (
            json!({"kubernetesEndpoint": {"server": "http://plain.example"}}),
            "kubernetesEndpoint.server",
        ),
        (
            json!({"kubernetesEndpoint": {"server": "https://a", "certificateAuthorityData": "no!"}}),
            "certificateAuthorityData",
        ),
        (
            json!({"kubernetesEndpoint": {"server": "https://a"}, "name": "x"}),
            "name",
        ),
    ] {
        let message = patch(&server.admin, &bad).await.refused(400);
        assert!(message.contains(field), "{message}");
    }
    let shown = patch(&server.admin, &body).await.is(200);
    assert_eq!(
        shown["status"]["conditions"],
        json!([]),
        "the word of an administrator ends it"
    );
    assert_eq!(served(&organization).await, "https://moved.example:6443");
    let nowhere = "/api/v1/clusters/00000000-0000-4000-8000-000000000000";
    server
        .call(&server.admin, Method::PATCH, nowhere, body.to_string())
        .await
        .refused(404);
}

/// Planted faults: without the number in the token the thief's goes on; without ending streams the thief's open one does.
#[tokio::test]
async fn with_a_new_secret_the_old_one_its_tokens_and_its_streams_are_worth_nothing() {
    let organization = OrganizationFixture::new().await;
    let (server, path) = (&organization.server, paths(&organization));
    let thief = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    // More streams than a cluster may have: the true operator's is displaced, and still each redial is sent what is new.
    let mut displaced = Watch::open(server, &thief, Some(6)).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(Watch::open(server, &thief, Some(6)).await);
    }
    while displaced.line().await.is_some() {}

    server
        .post(&organization.alice, &path.secret, Value::Null)
        .await
        .refused(403);
    server.post(&thief, &path.secret, Value::Null).await.refused(401);
    let answer = server
        .post(&server.admin, &path.secret, Value::Null)
        .await
        .is(200);
    let secret = answer["clientSecret"].as_str().unwrap();
    for watch in &mut streams {
        while watch.line().await.is_some() {}
    }
    let hello = json!({"protocol": reeve_link::PROTOCOL_VERSION, "operatorVersion": "x"});
    let message = server.post(&thief, "/link/v1/watch", hello).await.refused(401);
    assert!(message.contains("was replaced"), "{message}");
    report(server, &thief, json!({})).await.refused(401);
    let old = json!({"clusterId": organization.cluster, "clientSecret": organization.secret});
    server.post("", "/link/v1/token", old).await.refused(400);

    let token = server.link_token(&organization.cluster, secret).await;
    let mut watch = Watch::open(server, &token, Some(6)).await;
    assert_eq!(watch.news().await.unwrap()["type"], "welcome");
    report(server, &token, json!({"revision": 6})).await.is(204);
    // It lasts: also over what is loaded at a start.
    let again = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    report(&again, &thief, json!({})).await.refused(401);
    report(&again, &token, json!({})).await.is(204);
    let mut events = events(server).await.into_iter().rev().map(|row| row.entry);
    let last = events.find(|it| it.metadata.contains_key("linkSecret")).unwrap();
    assert_eq!(
        (last.metadata["linkSecret"].as_str(), last.result),
        ("replaced", Outcome::Succeeded)
    );
    assert!(!serde_json::to_string(&last).unwrap().contains(secret));
}

fn objects(count: i64, message: usize) -> Value {
    let message = "x".repeat(message);
    (1..=count)
        .map(|id| json!({"kind": "AccessRule", "id": id, "phase": "Ready", "message": message}))
        .collect()
}

#[tokio::test]
async fn a_report_beyond_its_bounds_is_400_and_says_which() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let many = |count: usize| {
        json!({"settings": {
        "enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v",
        "operatorVersion": "0.1.0", "policyAlarms": vec!["x"; count]}})
    };
    report(
        server,
        &token,
        json!({"objects": objects(500, 1000), "revision": 6}),
    )
    .await
    .is(204);
    for (body, says) in [
        (json!({"objects": objects(501, 0)}), "at most 500"),
        (json!({"objects": objects(1, 1001)}), "at most 1000"),
        (json!({"objects": [objects(1, 0)[0], objects(1, 1)[0]]}), "twice"),
        (many(51), "at most 50"),
        (settings(&"x".repeat(600)), "at most 512"),
        (settings("a@b"), "kubernetesEndpoint.server"),
        (json!({"revision": 7}), "7 was never sent"),
        (json!({"revision": u64::MAX}), "was never sent"),
        (json!({"revision": 5}), "5 is behind 6"),
    ] {
        let message = report(server, &token, body).await.refused(400);
        assert!(message.contains(says), "{says}: {message}");
    }
    report(server, &token, json!({"revision": 0})).await.is(204);
    report(server, &token, json!({"revision": 6})).await.is(204);
}

#[tokio::test]
async fn a_cluster_that_reports_too_often_is_told_when_to_come_back() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let (other, secret) = server.cluster("other").await;
    let (token, others) = (
        server
            .link_token(&organization.cluster, &organization.secret)
            .await,
        server.link_token(&other, &secret).await,
    );
    for _ in 0..60 {
        report(server, &token, json!({})).await.is(204);
    }
    let answer = report(server, &token, json!({})).await;
    answer.refused(429);
    assert_eq!(answer.headers["retry-after"], "1");
    report(server, &others, json!({})).await.is(204);
    server.clock.advance_seconds(1);
    report(server, &token, json!({})).await.is(204);
}

/// Planted fault: a report that asks for the turn of changes waits here for ever.
#[tokio::test]
async fn a_report_does_not_wait_behind_peoples_changes() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let token = server
        .link_token(&organization.cluster, &organization.secret)
        .await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let app = Arc::clone(&server.app);
    let (begin, released) = (Arc::clone(&begun), Arc::clone(&release));
    let change = tokio::spawn(async move {
        app.change(Asker::System, |_| async move {
            begin.notify_one();
            released.notified().await;
            Ok(Committed::unchanged(()))
        })
        .await
    });
    begun.notified().await;
    let kept = report(server, &token, json!({"revision": 6, "objects": objects(3, 10)}));
    let kept = tokio::time::timeout(Duration::from_secs(20), kept).await;
    kept.expect("it waits for the change").is(204);
    release.notify_one();
    change.await.unwrap().unwrap();
}
