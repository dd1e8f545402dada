//! Secrets that a workload finds as files.

use k8s_openapi::api::core::v1::PodSpec;
use reeve_crds::ReeveConfigSpec;
use reeve_workload::job;
use serde_json::{Value, json};

use super::{owner, workload};

const CREDENTIAL: &str = "123e4567-e89b-12d3-a456-426614174001";

fn volume(secret: &str, path: &str, mode: &str) -> Value {
    json!({"credentialId": CREDENTIAL, "secret": secret, "mountPath": path, "defaultMode": mode})
}

fn pod(changes: Value) -> PodSpec {
    let job = job(
        &workload(changes),
        &owner(),
        "robots",
        &ReeveConfigSpec::default(),
    );
    job.spec.unwrap().template.spec.unwrap()
}

/// Planted faults: a mount that can be written to; a pod that runs without the Secret.
#[test]
fn a_secret_is_a_volume_of_its_own_that_is_only_read() {
    let pod = pod(json!({"createHomeDir": true, "secretVolumes": [
        volume("token", "/home/alice/.token", "0444"), volume("token", "/etc/keys", "0640"),
    ]}));
    let volumes: Vec<_> = pod.volumes.unwrap().into_iter().skip(1).collect();
    assert_eq!(
        serde_json::to_value(volumes).unwrap(),
        json!([
            {"name": "secret-0", "secret": {"secretName": "token", "defaultMode": 0o444, "optional": false}},
            {"name": "secret-1", "secret": {"secretName": "token", "defaultMode": 0o640, "optional": false}},
        ])
    );
    let mounts = pod.containers[0].volume_mounts.clone().unwrap();
    assert_eq!(
        serde_json::to_value(&mounts[1..]).unwrap(),
        json!([
            {"name": "secret-0", "mountPath": "/home/alice/.token", "readOnly": true},
            {"name": "secret-1", "mountPath": "/etc/keys", "readOnly": true},
        ])
    );
}

/// Files of a Secret are root's. Planted fault: `fsGroup` in every pod, where it is of no use and gives files away.
#[test]
fn a_closed_mode_is_opened_to_the_persons_group_and_to_nobody_else() {
    let group = |changes: Value| pod(changes).security_context.unwrap().fs_group;
    let of = |mode: &str| json!({"secretVolumes": [volume("token", "/keys", mode)]});
    assert_eq!(group(json!({"createHomeDir": true})), None);
    assert_eq!(group(of("0444")), None);
    assert_eq!(group(of("0440")), Some(5000));
    assert_eq!(group(of("0400")), Some(5000));
    let both = json!({"secretVolumes": [volume("a", "/a", "0444"), volume("b", "/b", "0400")]});
    assert_eq!(group(both), Some(5000));
    // The user of an image has no group that anybody knows.
    let mut nobodys = of("0400");
    nobodys["identity"] = Value::Null;
    assert_eq!(group(nobodys), None);
}
