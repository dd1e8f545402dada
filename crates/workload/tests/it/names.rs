//! The person in `/etc/passwd` and `/etc/group`; the script itself runs in the end-to-end tests.

use k8s_openapi::api::core::v1::PodSpec;
use reeve_crds::ReeveConfigSpec;
use reeve_workload::job;
use serde_json::{Value, json};

use super::{owner, workload};

fn pod(changes: Value) -> PodSpec {
    job(
        &workload(changes),
        &owner(),
        "robots",
        &ReeveConfigSpec::default(),
    )
    .spec
    .and_then(|spec| spec.template.spec)
    .unwrap()
}

/// What the init container is told besides its script.
fn lines(pod: &PodSpec) -> Vec<String> {
    let container = &pod.init_containers.as_ref().unwrap()[0];
    container.command.as_ref().unwrap()[5..].to_vec()
}

#[test]
fn nobody_is_entered_who_did_not_ask_or_has_no_identity() {
    for changes in [
        json!({"createHomeDir": true}),
        json!({"passwdEntry": true, "identity": null}),
    ] {
        let pod = pod(changes);
        assert_eq!(pod.init_containers, None);
        let mounts = pod.containers[0].volume_mounts.iter().flatten();
        assert!(
            mounts
                .into_iter()
                .all(|mount| !mount.mount_path.starts_with("/etc"))
        );
    }
}

#[test]
fn the_entry_is_made_by_the_same_image_as_the_same_person() {
    let pod = pod(
        json!({"passwdEntry": true, "createHomeDir": true, "largeShm": true, "workingDir": "/work", "gpus": 1}),
    );
    insta::assert_json_snapshot!(pod);
}

/// The image is one, whoever of the pod needs it first.
#[test]
fn the_image_is_pulled_as_was_asked_for_by_every_container_of_it() {
    for (asked, policy) in [
        (json!("Never"), Some("Never")),
        (json!("Always"), Some("Always")),
        (json!(null), None),
    ] {
        let pod = pod(json!({"passwdEntry": true, "imagePullPolicy": asked}));
        let containers = pod.init_containers.iter().flatten().chain(&pod.containers);
        let policies: Vec<_> = containers.map(|it| it.image_pull_policy.as_deref()).collect();
        assert_eq!(policies, [policy, policy]);
    }
}

#[test]
fn processors_and_memory_are_asked_for_beside_gpus() {
    let of = |changes: Value| serde_json::to_value(&pod(changes).containers[0].resources).unwrap();
    let asked = json!({"cpuRequest": 0.5, "cpuLimit": 2, "memoryRequest": "512Mi", "memoryLimit": "1.5Gi"});
    assert_eq!(
        of(json!({"resources": asked, "gpus": 1})),
        json!({"limits": {"nvidia.com/gpu": "1", "cpu": "2", "memory": "1.5Gi"}, "requests": {"cpu": "500m", "memory": "512Mi"}})
    );
    assert_eq!(
        of(json!({"resources": {"cpuRequest": 1.25}})),
        json!({"requests": {"cpu": "1250m"}})
    );
    assert_eq!(of(json!({"gpus": 1})), json!({"limits": {"nvidia.com/gpu": "1"}}));
    assert_eq!(of(json!({})), Value::Null);
}

#[test]
fn the_entry_follows_the_home_of_her_own() {
    let home = |home: &str| {
        let changes = json!({"passwdEntry": true, "createHomeDir": true, "environment": [["HOME", home]]});
        lines(&pod(changes))[0].clone()
    };
    let hers = |path: &str| format!("alice:x:70012:5000:alice@example.com:{path}");
    assert_eq!(home("/work"), hers("/work"));
    assert_eq!(home("/pa$$word"), hers("/pa$$$$word"), "literal here too");
    // What would begin another field or another line is no home.
    for crooked in ["work", "/a:/bin/evil", "/a\nroot:x:0:0::/:/bin/sh", ""] {
        assert_eq!(home(crooked), hers("/home/alice"), "{crooked}");
    }
    assert_eq!(lines(&pod(json!({"passwdEntry": true})))[0], hers("/"));
}

#[test]
fn a_workload_may_be_called_as_the_init_container_is() {
    let pod = pod(json!({"name": "reeve-names", "passwdEntry": true}));
    assert_ne!(pod.init_containers.unwrap()[0].name, pod.containers[0].name);
}

#[test]
fn somebody_can_attach_when_the_input_stays_open() {
    let pod = pod(json!({"stdin": true, "tty": true}));
    let container = &pod.containers[0];
    assert_eq!(
        (container.stdin, container.stdin_once, container.tty),
        (Some(true), Some(true), Some(true))
    );
}
