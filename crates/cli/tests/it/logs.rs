//! Logs come straight from the cluster's API server; here the receiver stands in for that as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::receiver::{CLUSTER, Receiver, TOKEN, text, workload};

const PODS: &str = "/api/v1/namespaces/reeve-robots/pods";

async fn with_an_api_server() -> Receiver {
    let receiver = Receiver::signed_in().await;
    receiver.answers("GET /api/v1/workloads", 200, json!({"workloads": [workload()]}));
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()])
        .unwrap()
        .cert
        .pem();
    let endpoint = json!({"server": receiver.url(), "certificateAuthorityData": STANDARD.encode(authority)});
    let base = format!("/api/v1/clusters/{CLUSTER}");
    receiver.answers(&format!("GET {base}/kubernetes-endpoint"), 200, endpoint);
    let token = json!({"token": "kubernetes.token.here", "expirationTimestamp": "2026-01-01T00:05:00Z"});
    receiver.answers(&format!("POST {base}/kubernetes-token"), 200, token);
    receiver
}

fn pod(name: &str, created: &str, state: &Value) -> Value {
    json!({
        "metadata": {"name": name, "creationTimestamp": created},
        "status": {"containerStatuses": [
            {"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state},
        ]},
    })
}

fn pods(items: &[Value]) -> Value {
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
}

#[tokio::test]
async fn the_newest_pod_speaks_and_only_the_kubernetes_token_is_shown_to_the_cluster() {
    let receiver = with_an_api_server().await;
    let old = pod(
        "first-old",
        "2026-01-01T00:00:00Z",
        &json!({"terminated": {"exitCode": 1}}),
    );
    let new = pod("first-new", "2026-01-01T00:00:01Z", &json!({"running": {}}));
    receiver.answers(&format!("GET {PODS}"), 200, pods(&[new, old]));
    receiver.says(
        &format!("GET {PODS}/first-new/log"),
        200,
        "uid=70012 gid=5000 groups=5000,5001\n",
    );
    let output = receiver.run(&["logs", "first", "-p", "robots", "-f"]).await;
    assert_eq!(
        text(&output.stdout),
        "uid=70012 gid=5000 groups=5000,5001\n",
        "{}",
        text(&output.stderr)
    );
    let calls = receiver.calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.line.contains(PODS)).collect();
    assert_eq!(
        asked[0].line,
        format!("GET {PODS}?labelSelector=reeve.dev%2Fworkload%3Dfirst")
    );
    assert_eq!(asked[1].line, format!("GET {PODS}/first-new/log?follow=true"));
    for call in calls {
        let token = if call.line.contains(PODS) {
            "kubernetes.token.here"
        } else {
            TOKEN
        };
        assert_eq!(
            call.authorization,
            Some(format!("Bearer {token}")),
            "{}",
            call.line
        );
    }
}

#[tokio::test]
async fn what_the_cluster_refuses_is_shown_as_its_words() {
    let receiver = with_an_api_server().await;
    let status = json!({"kind": "Status", "status": "Failure", "message": "pods is forbidden: User \"alice\" cannot list", "code": 403});
    receiver.answers(&format!("GET {PODS}"), 403, status);
    insta::assert_snapshot!(receiver.shown(&["logs", "first", "-p", "robots"]).await);
}

#[tokio::test]
async fn a_cluster_that_has_not_said_where_it_is_has_no_logs() {
    let receiver = with_an_api_server().await;
    let path = format!("GET /api/v1/clusters/{CLUSTER}/kubernetes-endpoint");
    receiver.answers(
        &path,
        404,
        json!({"code": 404, "message": "the operator has not reported the address yet"}),
    );
    let output = receiver.run(&["logs", "first", "-p", "robots"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("has not reported the address yet (404)"),
        "{}",
        text(&output.stderr)
    );
}

#[tokio::test]
async fn a_workload_that_ended_without_a_pod_is_not_waited_for() {
    let receiver = with_an_api_server().await;
    receiver.answers(&format!("GET {PODS}"), 200, pods(&[]));
    let mut ended = workload();
    ended["phase"] = json!("Failed");
    ended["phaseMessage"] = json!("its Job was deleted");
    receiver.answers("GET /api/v1/workloads", 200, json!({ "workloads": [ended] }));
    let output = receiver.run(&["logs", "first", "-p", "robots", "-f"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("it is Failed and its pod is gone: its Job was deleted"),
        "{}",
        text(&output.stderr)
    );
}
