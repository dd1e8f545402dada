use reeve_serving::labels::{Controller, matches, of_child, of_pods};
use serde_json::json;

use crate::things::of;

#[test]
fn children_get_the_groups_labels_always_and_others_by_pattern() {
    let own = of(json!({"aim.eai.amd.com/model": "own"}));
    let parent = of(
        json!({"aim.eai.amd.com/model": "parent", "aim.eai.amd.com/team": "a", "org.example/cost": "1", "x": "y"}),
    );
    let get = |propagation: serde_json::Value| {
        let labels = of_child(&own, &parent, "svc", Some(&of(propagation)), Controller::Service);
        labels
            .into_iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>()
    };
    let always = [
        "aim.eai.amd.com/model=own",
        "aim.eai.amd.com/service.name=svc",
        "aim.eai.amd.com/team=a",
        "app.kubernetes.io/managed-by=aim-service-controller",
    ];
    assert_eq!(get(json!({"enabled": false, "match": ["*"]})), always);
    let mut with = always.map(str::to_owned).to_vec();
    with.push("org.example/cost=1".to_owned());
    assert_eq!(
        get(json!({"enabled": true, "match": ["org.example/*", "["]})),
        with
    );
    let pods = of_pods(&own, &parent, "svc", None, Controller::Service);
    assert!(!pods.contains_key("app.kubernetes.io/managed-by"));
}

#[test]
fn patterns_are_those_of_gos_path_matching() {
    for (pattern, key, expected) in [
        ("*", "a/b", false),
        ("*/*", "a/b", true),
        ("team-?", "team-a", true),
        ("[a-c]x", "bx", true),
        ("[^a-c]x", "bx", false),
        ("[^a-c]x", "dx", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("[]a]", "a", false),
        ("[a", "a", false),
        ("a*b*c", "aXbYc", true),
        ("a*b*c", "aXbY", false),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
    }
}
