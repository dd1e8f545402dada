//! The Job of a workload, without a cluster.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod expansion;
mod names;
mod policy;
mod secrets;
mod shape;

use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::Workload;
use reeve_workload::{Owner, home_directory, job, own_container};
use serde_json::{Value, json};

fn workload(changes: Value) -> Workload {
    let mut all = json!({
        "id": "0b6f8a52-0d3c-4d5e-9a55-1a2b3c4d5e6f", "name": "train", "projectId": "3", "submittedBy": "alice@example.com",
        "identity": {"userId": "123e4567-e89b-12d3-a456-426614174000", "email": "alice@example.com",
            "posix": {"uid": 70012, "gid": 5000, "supplementaryGroups": [5001, 5002]}},
        "image": "registry.example/train:1"
    });
    for (key, value) in changes.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn owner() -> Owner {
    Owner {
        namespace: "reeve-robots".into(),
        uid: "9a3b".into(),
    }
}

fn settings(user: bool, escalation: bool) -> ReeveConfigSpec {
    ReeveConfigSpec {
        enforce_run_as_user: user,
        enforce_prevent_privilege_escalation: escalation,
        ..ReeveConfigSpec::default()
    }
}

#[test]
fn a_workload_runs_as_the_person_the_server_verified() {
    let workload = workload(json!({
        "command": ["sh"], "args": ["-c", "id"], "environment": [["A", "1"], ["B", "$(A)"]], "gpus": 2, "createHomeDir": true
    }));
    insta::assert_json_snapshot!(job(&workload, &owner(), "robots", &ReeveConfigSpec::default()));
}

/// Whoever looks for a workload's container in a pod, the operator and the command line, asks the same function.
#[test]
fn the_jobs_container_bears_the_name_that_everybody_looks_for() {
    let workload = workload(json!({"passwdEntry": true}));
    let job = job(&workload, &owner(), "robots", &ReeveConfigSpec::default());
    let pod = job.spec.unwrap().template.spec.unwrap();
    let names: Vec<&str> = pod.containers.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, [own_container(&workload.name)]);
    let others = pod.init_containers.unwrap();
    assert!(others.iter().all(|c| c.name != own_container(&workload.name)));
}

#[test]
fn without_an_identity_there_is_no_stamp() {
    let workload = workload(json!({"identity": null, "submittedBy": "ci"}));
    insta::assert_json_snapshot!(job(&workload, &owner(), "robots", &settings(false, true)));
}

#[test]
fn no_groups_are_no_list_and_a_stamp_that_ends_in_a_slash() {
    let workload = workload(
        json!({"identity": {"userId": "123e4567-e89b-12d3-a456-426614174000", "email": "alice@example.com",
        "posix": {"uid": 70012, "gid": 5000}}}),
    );
    let template = job(&workload, &owner(), "robots", &ReeveConfigSpec::default())
        .spec
        .unwrap()
        .template;
    assert_eq!(
        template.metadata.unwrap().annotations.unwrap()["reeve.dev/runs-as"],
        "123e4567-e89b-12d3-a456-426614174000/70012/5000/"
    );
    let context = template.spec.unwrap().security_context.unwrap();
    assert_eq!(
        (
            context.supplemental_groups,
            context.supplemental_groups_policy.as_deref()
        ),
        (None, Some("Strict"))
    );
}

#[test]
fn escalation_is_prevented_when_identity_the_cluster_or_the_submission_says_so() {
    // Where identity is enforced nothing that is submitted may become another uid, whatever the switch says.
    for (identity, enforced, asked, allowed) in [
        (true, true, false, false),
        (true, false, false, false),
        (false, true, false, false),
        (false, true, true, false),
        (false, false, true, false),
        (false, false, false, true),
    ] {
        let workload = workload(json!({"preventPrivilegeEscalation": asked}));
        let spec = job(&workload, &owner(), "robots", &settings(identity, enforced))
            .spec
            .unwrap()
            .template
            .spec
            .unwrap();
        let context = spec.containers[0].security_context.clone().unwrap();
        assert_eq!(
            context.allow_privilege_escalation,
            Some(allowed),
            "{enforced} {asked}"
        );
        assert_eq!(
            context.capabilities.unwrap().drop.unwrap(),
            ["ALL"],
            "{enforced} {asked}"
        );
    }
}

#[test]
fn a_home_and_a_name_of_her_own_win_and_the_last_of_equal_names_counts() {
    let workload = workload(
        json!({"createHomeDir": true, "environment": [["HOME", "/work"], ["USER", "al"], ["A", "1"], ["A", "2"]]}),
    );
    let spec = job(&workload, &owner(), "robots", &ReeveConfigSpec::default())
        .spec
        .unwrap()
        .template
        .spec
        .unwrap();
    let env = spec.containers[0].env.clone().unwrap();
    let env: Vec<_> = env
        .iter()
        .map(|e| (e.name.as_str(), e.value.as_deref().unwrap()))
        .collect();
    assert_eq!(
        env,
        [
            ("LOGNAME", "alice"),
            ("HOME", "/work"),
            ("USER", "al"),
            ("A", "2")
        ]
    );
    assert!(spec.volumes.is_some());
}

#[test]
fn a_home_is_a_plain_folder_below_home() {
    for (who, home) in [
        ("alice@example.com", "/home/alice"),
        ("Al.Ice+x@example.com", "/home/al.ice-x"),
        ("..@example.com", "/home/user"),
        ("../../etc@example.com", "/home/etc"),
        ("ci_runner", "/home/ci_runner"),
        ("", "/home/user"),
        ("root@example.com", "/home/user"),
    ] {
        let workload = workload(json!({"identity": null, "submittedBy": who}));
        assert_eq!(home_directory(&workload), home);
    }
}
