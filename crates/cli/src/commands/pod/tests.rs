use serde_json::{Value, json};

use super::*;

fn pod(status: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "first-abcde"},
        "spec": {
            "initContainers": [{"name": "prepare"}],
            "containers": [{"name": "injected"}, {"name": "first"}],
        },
        "status": status,
    }))
    .unwrap()
}

fn container(name: &str, state: &Value) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state})
}

fn target(pod: Option<&str>) -> Target {
    Target {
        which: Which {
            name: "first".parse().unwrap(),
            project: "robots".parse().unwrap(),
        },
        pod: pod.map(ToOwned::to_owned),
    }
}

/// What is in the way of a container of the pod; an error's text where waiting does not help.
fn lacking(status: &Value, name: &str, state: State) -> Option<String> {
    let target = target(None);
    let wanted = Wanted {
        target: &target,
        container: None,
        state,
        patience: None,
        hint: "",
    };
    lacks(&pod(status), name, &wanted, "x").unwrap_or_else(|failure| Some(failure.to_string()))
}

#[test]
fn a_container_that_ran_has_started_but_does_not_run() {
    let running =
        json!({"phase": "Running", "containerStatuses": [container("first", &json!({"running": {}}))]});
    assert_eq!(lacking(&running, "first", State::Started), None);
    assert_eq!(lacking(&running, "first", State::Running), None);
    let ended = json!({"containerStatuses": [container("first", &json!({"terminated": {"exitCode": 3}}))]});
    assert_eq!(lacking(&ended, "first", State::Started), None);
    let refused = lacking(&ended, "first", State::Running).unwrap();
    assert!(
        refused.contains("its container has ended with exit code 3"),
        "{refused}"
    );
    let evicted = json!({"phase": "Failed", "reason": "Evicted"});
    let refused = lacking(&evicted, "first", State::Running).unwrap();
    assert!(refused.contains("its container has ended"), "{refused}");
}

#[test]
fn the_state_is_that_of_the_container_that_is_wanted() {
    let status = json!({
        "initContainerStatuses": [container("prepare", &json!({"terminated": {"exitCode": 0}}))],
        "containerStatuses": [
            container("injected", &json!({"running": {}})),
            container("first", &json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})),
        ],
    });
    assert_eq!(lacking(&status, "injected", State::Running), None);
    assert_eq!(lacking(&status, "prepare", State::Started), None);
    assert_eq!(
        lacking(&status, "first", State::Started).unwrap(),
        "its container has not started: ImagePullBackOff: no such image"
    );
    assert_eq!(lacking(&status, "first", State::Any), None);
    let waiting = json!({"containerStatuses": [container("first", &json!({"running": {}}))]});
    assert_eq!(
        lacking(&waiting, "injected", State::Running).unwrap(),
        "its container `injected` has not started: no reason given"
    );
    let unknown = lacking(&status, "other", State::Any).unwrap();
    assert!(
        unknown.contains("has no container `other`; it has: injected, first, prepare"),
        "{unknown}"
    );
}

#[test]
fn what_a_pod_waits_for_is_said() {
    let unschedulable = json!({"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    ]});
    assert_eq!(
        lacking(&unschedulable, "first", State::Started).unwrap(),
        "its container has not started: Unschedulable: 0/1 nodes"
    );
    assert_eq!(
        lacking(&json!({}), "first", State::Started).unwrap(),
        "its container has not started: no reason given"
    );
}

#[test]
fn a_pod_is_its_jobs_by_the_controlling_reference_alone() {
    let owned = |owner: Value| -> Pod {
        serde_json::from_value(json!({"metadata": {
            "labels": {CONTROLLER_LABEL: "job-uid", "reeve.dev/workload": "first"}, "ownerReferences": owner,
        }}))
        .unwrap()
    };
    let reference = |kind: &str, uid: &str, controller: bool| json!([{"apiVersion": "batch/v1", "kind": kind, "name": "first", "uid": uid, "controller": controller}]);
    assert!(is_controlled_by(
        &owned(reference("Job", "job-uid", true)),
        "job-uid"
    ));
    for wrong in [
        json!([]),
        reference("Job", "other", true),
        reference("Job", "job-uid", false),
        reference("ReplicaSet", "job-uid", true),
    ] {
        assert!(!is_controlled_by(&owned(wrong.clone()), "job-uid"), "{wrong}");
    }
}

#[test]
fn the_newest_pod_is_taken_unless_one_is_named() {
    let made = |name: &str, created: &str| -> Pod {
        serde_json::from_value(json!({"metadata": {"name": name, "creationTimestamp": created}})).unwrap()
    };
    let pods = || {
        vec![
            made("new", "2026-01-01T00:00:01Z"),
            made("old", "2026-01-01T00:00:00Z"),
        ]
    };
    let chosen = |pod| choose(pods(), &target(pod)).map(|pod| pod.unwrap().metadata.name.unwrap());
    assert_eq!(chosen(None), Ok("new".to_owned()));
    assert_eq!(chosen(Some("old")), Ok("old".to_owned()));
    assert_eq!(
        chosen(Some("foreign")),
        Err("`foreign` is none of its pods: new, old".to_owned())
    );
    assert!(choose(Vec::new(), &target(Some("old"))).unwrap().is_none());
}
