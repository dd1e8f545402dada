use std::collections::BTreeMap;

use kube::ResourceExt;
use reeve_crds::Workload;
use reeve_operator::cached::{CachedJob, CachedJobStatus, CachedPod};
use reeve_operator::fingerprint::Fingerprint;
use reeve_operator::slim;
use serde::Serialize;
use serde_json::{Value, json};

fn size(object: &impl Serialize) -> usize {
    serde_json::to_string(object).unwrap().len()
}

/// 256 KiB of annotations, the most that Kubernetes takes, and as much else as somebody may write.
fn metadata(name: &str, owner: &Value) -> Value {
    let labels: serde_json::Map<String, Value> = (0..500)
        .map(|number| (format!("team.example/label-{number}"), json!("x".repeat(63))))
        .chain([
            ("reeve.dev/workload".to_owned(), json!(name)),
            (
                "reeve.dev/workload-id".to_owned(),
                json!("0b6f8a52-0d3c-4d5e-9a55-000000000001"),
            ),
        ])
        .collect();
    json!({
        "name": name, "namespace": "reeve-robots", "uid": "123e4567-e89b-12d3-a456-426614174000",
        "resourceVersion": "12", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels,
        "annotations": {"a": "x".repeat(255 * 1024), "reeve.dev/runs-as": "u/70012/5000/5001"},
        "finalizers": ["x.example/y".repeat(20)], "ownerReferences": [owner],
        "managedFields": [{"manager": "x", "fieldsV1": {"f:a": "x".repeat(9000)}}],
    })
}

fn owner(kind: &str) -> Value {
    let group = if kind == "Workload" {
        "reeve.dev/v1alpha1"
    } else {
        "batch/v1"
    };
    json!({"apiVersion": group, "kind": kind, "name": "t", "uid": "u", "controller": true})
}

fn long() -> String {
    "é".repeat(20_000)
}

fn kept_job(owner: &Value) -> CachedJob {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "message": long(), "reason": "R"});
    let mut job: CachedJob = serde_json::from_value(json!({
        "metadata": metadata("t", owner),
        "spec": {"template": {"spec": {"containers": [{"name": "t", "env": [{"name": "A", "value": "x".repeat(100_000)}]}]}}},
        "status": {"ready": 1, "conditions": [condition("Failed"), condition("SomethingElse")],
            "uncountedTerminatedPods": {"failed": vec!["x".repeat(36); 500]}},
    }))
    .unwrap();
    job.trim();
    job
}

/// Planted fault: with the metadata as it comes the first is 300 KiB.
#[test]
fn of_a_job_with_256_kib_of_annotations_some_hundred_bytes_are_kept() {
    let ours = kept_job(&owner("Workload"));
    assert!(size(&ours) < 2_000, "{} bytes", size(&ours));
    assert_eq!(ours.labels().len(), 2);
    assert_eq!((ours.status.ready, ours.status.conditions.len()), (Some(1), 1));
    assert_eq!(ours.creation_timestamp().unwrap().0.as_second(), 1_767_225_600);
    // Of one that is no workload's: that it is there.
    let other = kept_job(&owner("CronJob"));
    assert!(size(&other) < 700, "{} bytes", size(&other));
    assert_eq!(
        (other.name_any().as_str(), &other.status),
        ("t", &CachedJobStatus::default())
    );
}

fn kept_pod(labelled: bool) -> CachedPod {
    let mut metadata = metadata("t", &owner("Job"));
    if !labelled {
        metadata["labels"] = json!({"app": "x"});
    }
    let container = json!({
        "name": "t", "image": "x".repeat(500), "imageID": "y".repeat(500), "ready": false, "restartCount": 3,
        "state": {"terminated": {"exitCode": 1, "reason": "Error", "message": long()}},
        "lastState": {"terminated": {"exitCode": 1, "message": long()}},
    });
    let mut pod: CachedPod = serde_json::from_value(json!({
        "metadata": metadata,
        "status": {"phase": "Failed", "message": long(), "containerStatuses": vec![container; 500],
            "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": long()},
                {"type": "Ready", "status": "False", "message": long()}]},
    }))
    .unwrap();
    pod.trim();
    pod
}

#[test]
fn of_a_pod_its_stamp_is_kept_and_of_a_workloads_why_it_waits() {
    let other = kept_pod(false);
    assert!(size(&other) < 500, "{} bytes", size(&other));
    assert_eq!(other.annotations()["reeve.dev/runs-as"], "u/70012/5000/5001");
    let ours = kept_pod(true);
    assert!(size(&ours) < 8_000, "{} bytes", size(&ours));
    assert_eq!(ours.owner_references().len(), 1);
    let status = &ours.status;
    let first = &status.container_statuses[0];
    assert_eq!(first.state.terminated.as_ref().unwrap().exit_code, 1);
    assert!(status.message.as_ref().unwrap().len() <= 1000);
    assert_eq!(status.conditions.len(), 1);
}

#[test]
fn a_stamp_that_is_too_long_to_be_one_is_nobodys() {
    let mut pod: CachedPod = serde_json::from_value(json!({
        "metadata": {"name": "t", "annotations": {"reeve.dev/runs-as": "x".repeat(200_000)}},
    }))
    .unwrap();
    pod.trim();
    assert!(size(&pod) < 200 && reeve_operator::controllers::pod_identities::stamp(&pod).is_none());
}

#[test]
fn of_a_workload_everything_but_what_makes_it_large_is_kept_and_any_change_of_it_is_seen() {
    let secrets: Vec<Value> = (0..64)
        .map(|number| {
            json!({"credentialId": "0b6f8a52-0d3c-4d5e-9a55-000000000002", "secret": format!("s{number}"),
                "mountPath": format!("/{number:02}/{}", "p".repeat(252)), "defaultMode": "0444"})
        })
        .collect();
    let labels: BTreeMap<String, String> = (0..64)
        .map(|number| (format!("label-{number:02}"), "x".repeat(63)))
        .collect();
    let own = json!({"labels": labels, "annotations": {"note": "x".repeat(16_000)}});
    let tolerations = vec![json!({"key": "x".repeat(63), "operator": "Exists"}); 32];
    let made = |value: &str| -> Workload {
        serde_json::from_value(json!({
            "apiVersion": "reeve.dev/v1alpha1", "kind": "Workload",
            "metadata": {"name": "t", "annotations": {"reeve.dev/revision": "7", "x": "y".repeat(9000)}},
            "spec": {"id": "0b6f8a52-0d3c-4d5e-9a55-000000000001", "projectId": "3", "submittedBy": "alice@example.com",
                "image": "i", "command": ["sh"], "args": ["x".repeat(30_000)],
                "workingDir": "/x".repeat(2_000), "secretVolumes": secrets, "metadata": own, "placement": {"tolerations": tolerations},
                "readinessProbe": {"port": 80, "path": "/x".repeat(500)},
                "environment": [{"name": "A", "value": "x".repeat(100_000)}, {"name": "B", "value": value}]},
        }))
        .unwrap()
    };
    let whole = made("1");
    let mut kept = whole.clone();
    slim::workload(&mut kept);
    assert!(size(&kept) < 800, "{} bytes", size(&kept));
    assert_eq!(kept.spec.secret_volumes.len(), 1);
    assert_eq!(kept.spec.secret_volumes[0].secret, "s0");
    assert_eq!(slim::fingerprint(&kept), Fingerprint::of(&whole.spec));
    assert_ne!(slim::fingerprint(&kept), Fingerprint::of(&made("2").spec));
    assert_eq!(kept.spec.image, "i");
}
