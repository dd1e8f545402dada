//! What the server says of a submission by workload policies is what the cluster says of its Job: the two look at different things, the
//! submission and the manifest, and have to find the same facts.

use proptest::prelude::*;
use reeve_admission::{Operation, Request, User, failing, names};
use reeve_crds::desired::Workload;
use reeve_types::workload_policy::{Facts, Limits};
use reeve_workload::job;
use serde_json::{Value, json};

use super::{owner, settings, workload};

/// The Job as the API server would show it to the policies.
fn request(workload: &Workload, user: bool, prevent: bool, limits: &Limits) -> Request {
    let mut object: Value =
        serde_json::to_value(job(workload, &owner(), "robots", &settings(user, prevent))).unwrap();
    object["kind"] = json!("Job");
    let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Request {
        operation: Operation::Create,
        user: User::named(names::OPERATOR_USER),
        object,
        namespace_labels: [
            text(names::PROJECT, "robots"),
            text(names::WORKLOAD_POLICIES, "true"),
        ]
        .into(),
        namespace_annotations: [
            text(names::TRAINING_POLICY, &limits.to_string()),
            text(names::WORKSPACE_POLICY, ""),
        ]
        .into(),
        ..Request::default()
    }
}

fn cluster_refuses(request: &Request) -> bool {
    failing(request)
        .iter()
        .any(|check| check.id.starts_with("policy-"))
}

fn entry() -> impl Strategy<Value = String> {
    let number = |key: &'static str, values: Vec<u32>| {
        let one = prop::sample::select(values);
        (one.clone(), one, 1..4_u32)
            .prop_map(move |(a, b, step)| format!("{key}={},{},{step}=project", a.min(b), a.max(b)))
    };
    let words = |key: &'static str, values: Vec<&'static str>| {
        let most = values.len().min(2);
        prop::sample::subsequence(values, 0..=most)
            .prop_map(move |some| format!("{key}={}=tenant", some.join("|")))
    };
    prop_oneof![
        number("uid", vec![0, 1, 2, 70_011, 70_012, 70_013, 2_147_483_647]),
        number("gid", vec![0, 1, 4999, 5000, 5001, 2_147_483_647]),
        number("gpus", vec![0, 1, 2, 3, 4]),
        words("source", vec!["fromIdpToken", "fromTheImage", "custom"]),
        words("image", vec!["registry.example/train:1", "other:1"]),
        words("escalation", vec!["false", "true"]),
        words("capabilities", vec!["NET_BIND_SERVICE"]),
        words("seccomp", vec!["RuntimeDefault", "Localhost"]),
    ]
}

fn case() -> impl Strategy<Value = (Value, bool, bool, Limits)> {
    let spec =
        (any::<bool>(), 0..5_u32, any::<bool>(), any::<bool>()).prop_map(|(named, gpus, other, prevent)| {
            let mut changes = json!({"gpus": gpus, "preventPrivilegeEscalation": prevent});
            if !named {
                changes["identity"] = Value::Null;
            }
            if other {
                changes["image"] = json!("other:1");
            }
            changes
        });
    let limits = prop::collection::vec(entry(), 0..4).prop_map(|all| all.join(";").parse().unwrap());
    (spec, any::<bool>(), any::<bool>(), limits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn server_and_cluster_agree((changes, user, prevent, limits) in case()) {
        let workload = workload(changes);
        let prevented = user || prevent || workload.prevent_privilege_escalation;
        let posix = workload.identity.as_ref().map(|identity| &identity.posix);
        let facts = Facts::of_training(&workload.image, workload.gpus, posix, prevented);
        let refuses = limits.broken(&facts).next().is_some();
        prop_assert_eq!(cluster_refuses(&request(&workload, user, prevent, &limits)), refuses, "{}", limits);
    }
}

/// The planted fault: a server that does not know what the cluster's settings do to a submission is told apart.
#[test]
fn a_server_that_forgets_the_settings_of_the_cluster_disagrees() {
    let workload = workload(json!({}));
    let limits: Limits = "escalation=false=project".parse().unwrap();
    let posix = workload.identity.as_ref().map(|identity| &identity.posix);
    let naive = Facts::of_training(
        &workload.image,
        workload.gpus,
        posix,
        workload.prevent_privilege_escalation,
    );
    let refuses = limits.broken(&naive).next().is_some();
    assert_ne!(cluster_refuses(&request(&workload, true, true, &limits)), refuses);
}
