//! What a Job and its pods are told besides what runs in them, and that a person could have written it herself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reeve_admission::{Request, User, failing, names};
use reeve_crds::ReeveConfigSpec;
use reeve_types::MetadataName;
use reeve_workload::{job, run_on_pool};
use serde_json::{Value, json};

use super::{owner, workload};

fn job_of(changes: Value) -> Value {
    let job = job(
        &workload(changes),
        &owner(),
        "robots",
        &ReeveConfigSpec::default(),
    );
    serde_json::to_value(job).unwrap()
}

#[test]
fn it_is_tried_once_unless_more_is_asked_for() {
    let plain = job_of(json!({}))["spec"].clone();
    assert_eq!(plain["backoffLimit"], 0);
    assert_eq!(
        (&plain["completions"], &plain["parallelism"]),
        (&Value::Null, &Value::Null)
    );
    let asked =
        job_of(json!({"attempts": {"backoffLimit": 3, "completions": 4, "parallelism": 2}}))["spec"].clone();
    assert_eq!(
        (
            &asked["backoffLimit"],
            &asked["completions"],
            &asked["parallelism"]
        ),
        (&json!(3), &json!(4), &json!(2))
    );
    // What the cluster takes away still counts as no try.
    assert_eq!(asked["podFailurePolicy"], plain["podFailurePolicy"]);
}

#[test]
fn a_pod_has_the_time_to_end_that_was_asked_for() {
    for (asked, given) in [
        (json!(0), json!(0)),
        (json!(3600), json!(3600)),
        (json!(null), Value::Null),
    ] {
        let job = job_of(json!({"terminationGracePeriodSeconds": asked}));
        assert_eq!(
            job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
            given
        );
    }
}

#[test]
fn the_container_alone_is_asked_whether_it_is_ready() {
    let probe = json!({"port": 8080, "path": "/ready", "https": true, "periodSeconds": 5, "failureThreshold": 2, "initialDelaySeconds": 0});
    let job = job_of(json!({"passwdEntry": true, "readinessProbe": probe}));
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(
        pod["containers"][0]["readinessProbe"],
        json!({"httpGet": {"port": 8080, "path": "/ready", "scheme": "HTTPS"}, "periodSeconds": 5, "failureThreshold": 2,
            "initialDelaySeconds": 0})
    );
    assert_eq!(pod["initContainers"][0]["readinessProbe"], Value::Null);
}

#[test]
fn nodes_are_of_the_type_and_of_the_projects_pool() {
    let changes = json!({"placement": {"nodeType": "dgx", "tolerations": [
        {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoExecute", "seconds": 60},
        {"key": "slow", "operator": "Exists"}]}});
    let mut job = job(
        &workload(changes),
        &owner(),
        "robots",
        &ReeveConfigSpec::default(),
    );
    run_on_pool(&mut job, "gpu");
    let pod = serde_json::to_value(job.spec.unwrap().template.spec.unwrap()).unwrap();
    assert_eq!(
        pod["nodeSelector"],
        json!({names::NODE_TYPE: "dgx", names::NODE_POOL: "gpu"})
    );
    assert_eq!(
        pod["tolerations"],
        json!([
            {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoExecute", "tolerationSeconds": 60},
            {"key": "slow", "operator": "Exists"}])
    );
    let plain = job_of(json!({}))["spec"]["template"]["spec"].clone();
    assert_eq!(
        (&plain["nodeSelector"], &plain["tolerations"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn labels_and_annotations_stand_beside_ours_and_change_none_of_them() {
    let metadata =
        json!({"labels": {"team.example/stage": "a", "empty": ""}, "annotations": {"note": "any text"}});
    let (plain, job) = (job_of(json!({})), job_of(json!({"metadata": metadata})));
    for at in ["/metadata/labels", "/spec/template/metadata/labels"] {
        let mut all = job.pointer(at).unwrap().clone();
        let all = all.as_object_mut().unwrap();
        assert_eq!(all.remove("team.example/stage"), Some(json!("a")), "{at}");
        assert_eq!(all.remove("empty"), Some(json!("")), "{at}");
        assert_eq!(Some(&Value::Object(all.clone())), plain.pointer(at), "{at}");
    }
    let template = &job["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(template["note"], "any text");
    assert_eq!(
        template[names::RUNS_AS],
        plain["spec"]["template"]["metadata"]["annotations"][names::RUNS_AS]
    );
    assert_eq!(job["metadata"]["annotations"], Value::Null);
}

/// A Job of this person's own, as she would write it by herself in a project.
fn by_herself(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> Request {
    let mut object = job_of(json!({}));
    object["kind"] = json!("Job");
    object["metadata"] = json!({"name": "train", "namespace": "reeve-robots", "labels": labels});
    let template = &mut object["spec"]["template"]["metadata"];
    let stamp = template["annotations"][names::RUNS_AS].clone();
    let mut own = serde_json::to_value(annotations).unwrap();
    if own.get(names::RUNS_AS).is_none() {
        own[names::RUNS_AS] = stamp;
    }
    *template = json!({"labels": labels, "annotations": own});
    let extra = [
        (names::EXTRA_UID, vec!["70012"]),
        (names::EXTRA_GID, vec!["5000"]),
        (names::EXTRA_GROUPS, vec!["5001", "5002"]),
    ];
    let owned = |(key, values): (&str, Vec<&str>)| -> (String, Vec<String>) {
        (key.to_owned(), values.into_iter().map(str::to_owned).collect())
    };
    Request {
        user: User {
            uid: "123e4567-e89b-12d3-a456-426614174000".to_owned(),
            extra: extra.map(owned).into(),
            ..User::named("alice@example.com")
        },
        object,
        namespace: "reeve-robots".to_owned(),
        namespace_labels: [(names::PROJECT.to_owned(), "robots".to_owned())].into(),
        ..Request::default()
    }
}

fn refused(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Vec<&'static str> {
    let map = |all: &[(&str, &str)]| {
        all.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let request = by_herself(&map(labels), &map(annotations));
    failing(&request).iter().map(|check| check.id).collect()
}

/// Domains and names of all sorts, most of which somebody goes by.
fn name() -> impl Strategy<Value = String> {
    let domain = prop::sample::select(vec![
        "",
        "team.example/",
        "reeve.dev/",
        "x.reeve.dev/",
        "kubernetes.io/",
        "batch.kubernetes.io/",
        "apps.kubernetes.io/",
        "deployment.kubernetes.io/",
        "statefulset.kubernetes.io/",
        "container.apparmor.security.beta.kubernetes.io/",
        "pod-security.kubernetes.io/",
        "kueue.x-k8s.io/",
        "ray.io/",
        "run.ai/",
        "runai/",
    ]);
    let word = prop::sample::select(vec![
        "user",
        "runs-as",
        "workload",
        "job-name",
        "controller-uid",
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "queue",
        "queue-name",
        "cluster",
        "train",
        "enforce",
        "passwd-entry",
        "team",
        "deprecated.daemonset.template.generation",
        "deprecated.deployment.rollback.to",
    ]);
    (domain, word).prop_map(|(domain, word)| format!("{domain}{word}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// The operator may write more than people. So nothing comes into its Job by a submission that the person could not write herself.
    #[test]
    fn what_a_submission_may_name_its_person_may_write_by_herself(name in name()) {
        if name.parse::<MetadataName>().is_ok() {
            prop_assert_eq!(refused(&[(&name, "x")], &[(&name, "x")]), Vec::<&str>::new(), "{}", name);
        }
    }
}

/// The planted fault: of names that are reserved the policies refuse some, so that the comparison can fail.
#[test]
fn names_that_are_reserved_are_refused_by_the_policies_too() {
    assert_eq!(refused(&[], &[]), Vec::<&str>::new());
    for label in [names::WORKLOAD_LABEL, "batch.kubernetes.io/job-name", "job-name"] {
        assert_ne!(refused(&[(label, "x")], &[]), Vec::<&str>::new(), "{label}");
        assert!(label.parse::<MetadataName>().is_err(), "{label}");
    }
    for annotation in [names::RUNS_AS, "batch.kubernetes.io/job-completion-index"] {
        assert!(annotation.parse::<MetadataName>().is_err(), "{annotation}");
    }
    assert_ne!(refused(&[], &[(names::RUNS_AS, "x/1/2/")]), Vec::<&str>::new());
}
