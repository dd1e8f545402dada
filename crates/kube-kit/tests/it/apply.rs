use std::sync::Arc;

use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_kube_kit::apply::{covers, plan};
use serde_json::{Value, json};

fn binding(name: &str, marked: bool, subjects: &[&str]) -> RoleBinding {
    let subjects: Vec<Value> = subjects
        .iter()
        .map(|name| json!({"kind": "User", "name": name}))
        .collect();
    let labels = if marked { json!({"ours": "yes"}) } else { json!({}) };
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": labels}, "subjects": subjects,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"}
    }))
    .unwrap()
}

#[test]
fn what_nobody_desires_may_be_anything_and_what_is_desired_must_be_there() {
    for (actual, desired, covered) in [
        (json!({"a": 1, "b": 2}), json!({"a": 1}), true),
        (json!({"a": 1}), json!({"a": 1, "b": null}), true),
        (json!({"a": 1}), json!({"a": 2}), false),
        (json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 1}}), true),
        (json!({}), json!({"a": {}}), false),
        (json!([1, 2]), json!([1]), false),
        (json!([1, 2]), json!([2, 1]), false),
        (json!([{"a": 1, "b": 2}]), json!([{"a": 1}]), true),
    ] {
        assert_eq!(covers(&actual, &desired), covered, "{actual} {desired}");
    }
}

#[test]
fn a_plan_writes_what_differs_and_deletes_what_is_ours_alone() {
    let actual = [
        binding("same", true, &["a"]),
        binding("other", true, &["a"]),
        binding("stray", true, &["a"]),
        binding("theirs", false, &[]),
    ];
    let actual: Vec<Arc<RoleBinding>> = actual.into_iter().map(Arc::new).collect();
    let desired = [
        binding("same", true, &["a"]),
        binding("other", true, &["a", "b"]),
        binding("new", true, &["a"]),
    ];
    let plan = plan(&actual, &desired, |b: &RoleBinding| {
        b.metadata.labels.as_ref().is_some_and(|l| l.contains_key("ours"))
    });
    let names: Vec<&str> = plan
        .apply
        .iter()
        .filter_map(|b| b.metadata.name.as_deref())
        .collect();
    assert_eq!(
        (names, plan.delete),
        (vec!["other", "new"], vec!["stray".to_owned()])
    );
}
