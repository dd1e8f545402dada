//! Every state of a cluster (cluster-and-cli 10), how it is reached, and since when it is shown.

use std::sync::Arc;
use std::time::Duration;

use reeve_types::Timestamp;
use serde_json::{Value, json};

use crate::link::Watch;
use crate::server::{OrganizationFixture, Server};

struct Shown {
    state: String,
    reason: String,
    since: Timestamp,
    message: String,
    whole: Value,
}

async fn shown(server: &Server, cluster: &str) -> Shown {
    let whole = server
        .get(&server.admin, &format!("/api/v1/clusters/{cluster}"))
        .await
        .is(200);
    let status = &whole["status"];
    let text = |field: &str| status[field].as_str().unwrap().to_owned();
    Shown {
        state: text("state"),
        reason: text("stateReason"),
        since: serde_json::from_value(status["stateSince"].clone()).unwrap(),
        message: text("stateMessage"),
        whole,
    }
}

/// Whether it stands so, for that reason, since then.
async fn stands(server: &Server, cluster: &str, state: &str, reason: &str, since: Timestamp) -> Shown {
    let shown = shown(server, cluster).await;
    assert_eq!(
        (&*shown.state, &*shown.reason),
        (state, reason),
        "{}",
        shown.whole
    );
    assert_eq!(shown.since, since, "{state}: {}", shown.whole);
    shown
}

/// Ends the streams of a cluster, and waits until that is written down.
pub(crate) async fn ended(server: &Server, watch: Watch, cluster: &str) {
    drop(watch);
    let now = server.clock.now().as_millis();
    let beside = server.dir.beside();
    let sql = format!("SELECT last_liveness FROM clusters WHERE id = '{cluster}'");
    for _ in 0..3000 {
        let kept = beside.read(&sql).await[0]["last_liveness"].as_i64();
        if kept == Some(now) && server.app.cluster_streams.streams() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the end of the stream is not written down");
}

fn settings(more: Value) -> Value {
    let mut settings = json!({
        "enforceRunAsUser": true, "enforcePreventPrivilegeEscalation": true, "kubernetesVersion": "v1.37.2",
        "operatorVersion": "0.1.0", "policyAlarms": [],
    });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "settings": settings })
}

fn dependency(name: &str, available: bool, required: bool) -> Value {
    let reason = if available { "" } else { "install the chart again" };
    json!({"name": name, "required": required, "available": available, "reason": reason})
}

async fn says(server: &Server, token: &str, report: Value) {
    server.post(token, "/link/v1/status", report).await.is(204);
}

#[tokio::test]
async fn a_cluster_waits_is_connected_and_is_disconnected_half_a_minute_after_its_last_word() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let made = server.clock.now();
    server.clock.advance_seconds(500);
    let waiting = stands(server, cluster, "WaitingToConnect", "NeverConnected", made).await;
    assert!(
        waiting
            .message
            .contains(&format!("`reeve cluster install-info {cluster}`")),
        "{}",
        waiting.message
    );
    assert_eq!(waiting.whole["lastLiveness"], Value::Null);

    let token = server.link_token(cluster, &organization.secret).await;
    let begun = server.clock.now();
    let watch = Watch::open(server, &token, None).await;
    server.clock.advance_seconds(120);
    stands(server, cluster, "Connected", "Connected", begun).await;
    ended(server, watch, cluster).await;
    let last = server.clock.now();
    server.clock.advance_seconds(29);
    stands(server, cluster, "Connected", "Connected", begun).await;
    // A gap of less than half a minute is none.
    let watch = Watch::open(server, &token, None).await;
    stands(server, cluster, "Connected", "Connected", begun).await;
    ended(server, watch, cluster).await;
    server.clock.advance_seconds(31);
    let gone = stands(server, cluster, "Disconnected", "NotHeard", last.plus_seconds(29)).await;
    assert!(
        gone.message.contains("not in effect there yet"),
        "{}",
        gone.message
    );
    server.clock.advance_seconds(1000);
    let back = server.clock.now();
    let _watch = Watch::open(server, &token, None).await;
    stands(server, cluster, "Connected", "Connected", back).await;
}

#[tokio::test]
async fn a_missing_prerequisite_comes_before_other_issues_and_each_is_shown_since_it_was_first_reported() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let token = server.link_token(cluster, &organization.secret).await;
    let connected = server.clock.now();
    let _watch = Watch::open(server, &token, None).await;
    let well =
        json!({"dependencies": [dependency("kubernetes", true, true), dependency("kueue", false, false)]});
    says(server, &token, settings(well.clone())).await;
    let shown = stands(server, cluster, "Connected", "Connected", connected).await;
    let dependencies = &shown.whole["status"]["dependencies"];
    assert_eq!(
        dependencies["required"],
        json!({"kubernetes": {"available": true, "reason": ""}})
    );
    assert_eq!(
        dependencies["optional"]["kueue"]["available"], false,
        "what is optional is no fault"
    );

    server.clock.advance_seconds(60);
    let issue = json!({"kind": "LimitRangeValid", "reason": "InvalidSettings", "message": "`max` is below `default`"});
    let mut worse = well.clone();
    worse["issues"] = json!([issue]);
    says(server, &token, settings(worse.clone())).await;
    let limits = server.clock.now();
    let shown = stands(server, cluster, "ServiceIssues", "ConditionsFalse", limits).await;
    assert_eq!(shown.message, "`max` is below `default`");

    server.clock.advance_seconds(60);
    worse["dependencies"][0] = dependency("kubernetes", false, true);
    worse["policyAlarms"] = json!(["policy `x` is missing"]);
    says(server, &token, settings(worse.clone())).await;
    let missing = server.clock.now();
    let shown = stands(
        server,
        cluster,
        "MissingPrerequisites",
        "PrerequisiteMissing",
        missing,
    )
    .await;
    assert_eq!(shown.message, "install the chart again");
    let conditions = shown.whole["status"]["conditions"].as_array().unwrap();
    let since: Vec<_> = conditions
        .iter()
        .map(|it| {
            (
                it["type"].as_str().unwrap(),
                serde_json::from_value(it["lastTransitionTime"].clone()).unwrap(),
            )
        })
        .collect();
    let wanted: Vec<(&str, Timestamp)> = vec![
        ("Prerequisite/kubernetes", missing),
        ("AdmissionPolicies", missing),
        ("LimitRangeValid", limits),
    ];
    assert_eq!(since, wanted, "each since it was first reported");

    // What is over is forgotten: the next time counts anew.
    server.clock.advance_seconds(60);
    says(server, &token, settings(well)).await;
    stands(server, cluster, "Connected", "Connected", connected).await;
    says(server, &token, settings(worse)).await;
    stands(
        server,
        cluster,
        "MissingPrerequisites",
        "PrerequisiteMissing",
        server.clock.now(),
    )
    .await;
}

#[tokio::test]
async fn after_a_start_it_is_unknown_for_a_minute_whether_a_cluster_is_there() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let (never, _) = server.cluster("never").await;
    let made = server.clock.now();
    let token = server.link_token(cluster, &organization.secret).await;
    let watch = Watch::open(server, &token, None).await;
    ended(server, watch, cluster).await;
    let heard = server.clock.now();
    // The server was down for an hour.
    server.clock.advance_seconds(3600);
    let again = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    let started = again.clock.now();
    again.clock.advance_seconds(59);
    let unknown = stands(&again, cluster, "Unknown", "ControlPlaneStarted", started).await;
    assert!(unknown.message.contains("60 s"), "{}", unknown.message);
    stands(&again, &never, "WaitingToConnect", "NeverConnected", made).await;
    again.clock.advance_seconds(1);
    stands(&again, cluster, "Disconnected", "NotHeard", heard).await;
}

/// Planted fault: an `is_recent` that takes any time to come for a recent one shows the cluster as connected for an hour.
#[tokio::test]
async fn a_cluster_that_was_heard_in_the_future_is_unknown() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let token = server.link_token(cluster, &organization.secret).await;
    server.clock.advance_seconds(3600 - 10);
    let watch = Watch::open(server, &token, None).await;
    ended(server, watch, cluster).await;
    server.clock.advance_seconds(-3600);
    let now = server.clock.now();
    let unknown = stands(server, cluster, "Unknown", "ClockWentBack", now).await;
    assert!(unknown.message.contains("clock"), "{}", unknown.message);
}

/// A report whose words are not what a condition may be called is refused, and nothing of it is shown.
#[tokio::test]
async fn issues_and_dependencies_keep_to_their_bounds() {
    let organization = OrganizationFixture::new().await;
    let (server, cluster) = (&organization.server, &*organization.cluster);
    let token = server.link_token(cluster, &organization.secret).await;
    let issue = |kind: &str| json!({"kind": kind, "reason": "R", "message": ""});
    for (more, says) in [
        (json!({"issues": vec![issue("A"); 21]}), "at most 20"),
        (json!({"issues": [issue("two words")]}), "`issues.kind`"),
        (
            json!({"dependencies": [dependency("", true, true)]}),
            "`dependencies.name`",
        ),
    ] {
        let refused = server
            .post(&token, "/link/v1/status", settings(more))
            .await
            .refused(400);
        assert!(refused.contains(says), "{refused}");
    }
    assert_eq!(
        shown(server, cluster).await.whole["status"]["platform"],
        Value::Null
    );
}
