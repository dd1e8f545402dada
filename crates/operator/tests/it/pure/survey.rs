use k8s_openapi::api::core::v1::Namespace;
use reeve_operator::controllers::project::survey::judge;
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
