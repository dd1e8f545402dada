use k8s_openapi::api::core::v1::Namespace;
use reeve_crds::ReeveConfigSpec;
use reeve_operator::controllers::project::survey::{judge, judge_before_adoption, settings_of};
use serde_json::{Value, json};

fn namespace(labels: Value) -> Namespace {
    serde_json::from_value(json!({"metadata": {"name": "legacy", "labels": labels}})).unwrap()
}

fn object(kind: &str, name: &str, owner: Option<&str>) -> Value {
    let owners = owner.map_or(
        json!([]),
        |kind| json!([{"kind": kind, "name": "o", "uid": "u", "controller": true}]),
    );
    let spec = json!({"containers": [{"name": "c", "image": "i"}]});
    let mut object = json!({"kind": kind, "metadata": {"name": name, "ownerReferences": owners}, "spec": {"template": {"spec": spec}}});
    if kind == "Pod" {
        object["spec"] = spec;
    }
    object
}

#[test]
fn what_could_make_no_new_pod_is_named_once_and_what_is_over_is_not() {
    let strict = namespace(json!({"reeve.dev/project": "robots"}));
    let mut over = object("Job", "over", None);
    over["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    let survey = judge(
        &strict,
        &[
            object("Deployment", "web", None),
            object("ReplicaSet", "web-1", Some("Deployment")),
            object("Pod", "web-1-x", Some("ReplicaSet")),
            object("Pod", "bare", None),
            over,
        ],
    );
    let message = survey.message();
    assert!(!survey.is_clean());
    assert!(
        message.starts_with("2 could make no new pod: Deployment `web` (R4: "),
        "{message}"
    );
    assert!(message.contains("Pod `bare` (R5: "), "{message}");
    assert!(
        !message.contains("web-1") && !message.contains("over"),
        "{message}"
    );
}

#[test]
fn a_long_list_is_cut_and_says_how_much_is_left_out() {
    let strict = namespace(json!({"reeve.dev/project": "robots"}));
    let many: Vec<Value> = (0..14)
        .map(|i| object("Deployment", &format!("d{i}"), None))
        .collect();
    let message = judge(&strict, &many).message();
    assert!(
        message.contains("14 could make no new pod") && message.contains("and 4 more"),
        "{message}"
    );
}

#[test]
fn nothing_is_found_where_nothing_is() {
    assert!(judge(&namespace(json!({"reeve.dev/project": "robots"})), &[]).is_clean());
}

/// Planted fault: a fingerprint of the two switches alone leaves every other setting unnoticed here.
#[test]
fn every_setting_of_a_namespace_that_policies_read_calls_for_another_look() {
    let of = |labels: Value, annotations: Value| {
        let namespace: Namespace = serde_json::from_value(
            json!({"metadata": {"name": "n", "labels": labels, "annotations": annotations}}),
        )
        .unwrap();
        settings_of(&namespace)
    };
    let plain = of(json!({"reeve.dev/project": "robots"}), json!({}));
    let mut seen = vec![plain.clone()];
    for label in [
        "reeve.dev/enforce-run-as-user",
        "reeve.dev/enforce-prevent-privilege-escalation",
        "reeve.dev/allow-fs-group",
        "reeve.dev/allow-networking",
        "pod-security.kubernetes.io/enforce",
    ] {
        for value in ["true", "false"] {
            seen.push(of(
                json!({"reeve.dev/project": "robots", label: value}),
                json!({}),
            ));
        }
    }
    for annotation in [
        "reeve.dev/priority-classes",
        "reeve.dev/tolerations",
        "reeve.dev/trusted-mutators",
    ] {
        seen.push(of(
            json!({"reeve.dev/project": "robots"}),
            json!({annotation: "a"}),
        ));
        seen.push(of(
            json!({"reeve.dev/project": "robots"}),
            json!({annotation: "b"}),
        ));
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count, "two settings look the same");
    // What policies do not read calls for nothing.
    let other = of(
        json!({"reeve.dev/project": "robots", "team": "a"}),
        json!({"note": "b"}),
    );
    assert_eq!(other, plain);
}

#[test]
fn before_adoption_pods_stand_for_what_makes_them_and_jobs_for_their_pods() {
    let waiting = namespace(json!({"team": "a"}));
    let project = super::project_index::object(3, "robots", "legacy")
        .checked()
        .unwrap();
    let objects = [
        object("Pod", "web-1-x", Some("ReplicaSet")),
        object("Job", "train", None),
        object("Pod", "train-x", Some("Job")),
    ];
    let survey = judge_before_adoption(&waiting, &project, &ReeveConfigSpec::default(), &objects);
    let message = survey.message();
    assert!(
        message.starts_with(
            "2 pods and Jobs could not be made again once the namespace is the project's: Pod `web-1-x` (R"
        ),
        "{message}"
    );
    assert!(
        message.contains("Job `train` (R") && !message.contains("train-x"),
        "{message}"
    );
    assert!(
        message.contains("reeve project adopt NAMESPACE --dry-run") && !message.contains("bear a stamp"),
        "{message}"
    );
    assert!(judge_before_adoption(&waiting, &project, &ReeveConfigSpec::default(), &[]).is_clean());
}

/// Planted fault: judged with its stamp the Job could make its pod, and nothing at all is said of it.
#[test]
fn before_adoption_stamps_that_nobody_verified_are_counted_and_not_believed() {
    let waiting = namespace(json!({"team": "a"}));
    let project = super::project_index::object(3, "robots", "legacy")
        .checked()
        .unwrap();
    let stamp = json!({"reeve.dev/runs-as": "123e4567-e89b-12d3-a456-426614174000/70012/5000/5001"});
    let mut job = object("Job", "train", None);
    job["spec"]["template"]["metadata"] = json!({"annotations": stamp});
    let context = json!({"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001],
        "supplementalGroupsPolicy": "Strict", "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    let container = json!({"name": "c", "image": "i", "securityContext":
        {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
    job["spec"]["template"]["spec"] = json!({"os": {"name": "linux"}, "automountServiceAccountToken": false,
        "securityContext": context, "containers": [container]});
    let mut pod = object("Pod", "train-x", Some("Job"));
    pod["metadata"]["annotations"] = stamp;
    let settings = ReeveConfigSpec::default();
    let message = judge_before_adoption(&waiting, &project, &settings, &[job, pod.clone()]).message();
    assert!(
        message.starts_with("1 pods and Jobs could not be made again")
            && message.contains("Job `train` (R4: ")
            && message.contains("2 bear a stamp (reeve.dev/runs-as)"),
        "{message}"
    );
    // A stamp alone is something to say, too.
    let alone = judge_before_adoption(&waiting, &project, &settings, &[pod]);
    assert!(!alone.is_clean());
    assert!(
        alone.message().starts_with("1 bear a stamp"),
        "{}",
        alone.message()
    );
}
