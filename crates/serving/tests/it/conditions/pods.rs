//! Jobs and pods in every state.

use k8s_openapi::api::core::v1::{Event, Pod};
use reeve_serving::inspect::SeenPod;
use serde_json::{Value, json};

use super::NOW;
use crate::things::of;

/// A pod, its events and what its container wrote.
pub(super) struct Seen {
    pub(super) name: String,
    pod: Pod,
    events: Vec<Event>,
    log: &'static str,
}

impl Seen {
    pub(super) fn seen(&self) -> SeenPod<'_> {
        SeenPod {
            pod: &self.pod,
            events: &self.events,
            log: self.log,
        }
    }
}

pub(super) fn event(reason: &str) -> Value {
    json!({"metadata": {}, "involvedObject": {}, "reason": reason, "message": "said so", "lastTimestamp": NOW})
}

fn pod(name: &str, status: &Value, events: &Value, log: &'static str) -> Seen {
    Seen {
        name: format!("a pod {name}"),
        pod: of(json!({"status": status})),
        events: of(events.clone()),
        log,
    }
}

fn with_state(phase: &str, state: &Value) -> Value {
    let container =
        json!({"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state});
    json!({"phase": phase, "containerStatuses": [container]})
}

/// One in each state that pods are told apart by.
pub(super) fn all() -> Vec<Seen> {
    let none = json!([]);
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let mut all = vec![
        pod("that is ready", &ready, &none, ""),
        pod("that runs", &json!({"phase": "Running"}), &none, ""),
        pod("that waits", &json!({"phase": "Pending"}), &none, ""),
        pod("of an unknown phase", &json!({"phase": "Unknown"}), &none, ""),
    ];
    for reason in [
        "FailedScheduling",
        "FailedMount",
        "FailedAttachVolume",
        "FailedCreatePodSandBox",
        "Pulling",
    ] {
        let name = format!("with the event {reason}");
        all.push(pod(
            &name,
            &json!({"phase": "Pending"}),
            &json!([event(reason)]),
            "",
        ));
    }
    let pulls = [
        ("without a right to its image", "401 Unauthorized"),
        ("whose image is not there", "manifest unknown"),
        ("whose registry does not answer", "dial tcp: i/o timeout"),
    ];
    for (name, message) in pulls {
        let state = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
        all.push(pod(name, &with_state("Pending", &state), &none, ""));
    }
    let ended = [
        (
            "without a right to its files",
            1,
            "Error",
            "Cannot access gated repo",
        ),
        (
            "whose volume is full",
            1,
            "Error",
            "OSError: No space left on device",
        ),
        ("whose files are not there", 1, "Error", "Repository Not Found"),
        ("that used too much memory", 137, "OOMKilled", ""),
        ("that failed", 1, "Error", "boom"),
        ("that took too long", 1, "DeadlineExceeded", ""),
        (
            "whose download stalled",
            1,
            "Error",
            "download failed (stalled): nothing came",
        ),
        (
            "whose files are not the right ones",
            1,
            "Error",
            "download failed (corrupt): another digest",
        ),
        (
            "whose source does not answer",
            1,
            "Error",
            "download failed (unreachable): no answer",
        ),
    ];
    for (name, exit, reason, log) in ended {
        let state = json!({"terminated": {"exitCode": exit, "reason": reason}});
        all.push(pod(name, &with_state("Failed", &state), &none, log));
    }
    let evicted = json!({"phase": "Failed", "reason": "Evicted"});
    all.push(pod("that was evicted", &evicted, &none, ""));
    all
}

/// Jobs of this name that are not over, or failed.
pub(super) fn jobs(name: &str) -> Vec<(String, Value)> {
    let mut all = vec![("a Job that runs".to_owned(), job(name, &json!([])))];
    for reason in ["BackoffLimitExceeded", "DeadlineExceeded", "Evicted", "Other"] {
        let failed =
            json!([{"type": "Failed", "status": "True", "reason": reason, "lastTransitionTime": NOW}]);
        all.push((format!("a Job that failed for {reason}"), job(name, &failed)));
    }
    all
}

/// A Job that ended well.
pub(super) fn complete(name: &str) -> Value {
    job(
        name,
        &json!([{"type": "Complete", "status": "True", "lastTransitionTime": NOW}]),
    )
}

pub(super) fn running(name: &str) -> Value {
    job(name, &json!([]))
}

fn job(name: &str, conditions: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "ns"}, "status": {"conditions": conditions}})
}
