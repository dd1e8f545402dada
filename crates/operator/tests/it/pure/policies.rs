use std::collections::BTreeMap;

use reeve_operator::controllers::policies::{agrees, differences, expected};
use serde_json::{Value, json};

/// As the API server gives it back: with its own defaults filled in.
fn installed(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(constraints) = spec.get_mut("matchConstraints") {
        constraints["matchPolicy"] = json!("Equivalent");
        if constraints.get("objectSelector").is_none() {
            constraints["objectSelector"] = json!({});
        }
    }
    spec
}

#[test]
fn the_generated_policies_agree_with_themselves_and_any_change_of_one_is_told() {
    let expected = expected(&reeve_admission::policies());
    assert!(expected.len() >= 8);
    let found: BTreeMap<(String, String), Value> = expected
        .iter()
        .map(|e| ((e.kind.clone(), e.name.clone()), installed(&e.spec)))
        .collect();
    assert_eq!(differences(&expected, &found), Vec::<String>::new());
    for policy in &expected {
        let key = (policy.kind.clone(), policy.name.clone());
        let mut without = found.clone();
        without.remove(&key);
        assert!(
            differences(&expected, &without).join("").contains("is missing"),
            "{key:?}"
        );
        for (pointer, value) in [
            (
                "/matchConditions",
                json!([{"name": "never", "expression": "false"}]),
            ),
            ("/failurePolicy", json!("Ignore")),
            (
                "/matchConstraints",
                json!({"excludeResourceRules": [{"resources": ["*"]}]}),
            ),
            (
                "/matchResources",
                json!({"namespaceSelector": {"matchLabels": {"no": "where"}}}),
            ),
            ("/validationActions", json!(["Audit"])),
            ("/paramKind", json!({"apiVersion": "v1", "kind": "ConfigMap"})),
        ] {
            let mut changed = found.clone();
            changed.get_mut(&key).unwrap()[pointer.trim_start_matches('/')] = value;
            assert_eq!(differences(&expected, &changed).len(), 1, "{key:?} {pointer}");
        }
    }
}

#[test]
fn a_validation_that_was_weakened_or_dropped_is_a_difference() {
    let spec = json!({"validations": [{"expression": "a"}, {"expression": "b"}]});
    assert!(agrees(&spec, &spec));
    assert!(!agrees(
        &json!({"validations": [{"expression": "true"}, {"expression": "b"}]}),
        &spec
    ));
    assert!(!agrees(&json!({"validations": [{"expression": "a"}]}), &spec));
    assert!(!agrees(&json!({}), &spec));
    assert!(agrees(
        &json!({"validations": [{"expression": "a"}, {"expression": "b"}], "failurePolicy": "Fail"}),
        &spec
    ));
}

#[test]
fn a_webhook_that_is_asked_elsewhere_or_less_is_a_difference_and_another_authority_is_none() {
    use reeve_admission::webhooks::{Reach, webhooks};
    let installed = |reach: &Reach| expected(&webhooks(reach, "another"));
    let wanted = expected(&webhooks(&Reach::Service, ""));
    let found =
        |all: Vec<reeve_operator::controllers::policies::Expected>| -> BTreeMap<(String, String), Value> {
            all.into_iter().map(|e| ((e.kind, e.name), e.spec)).collect()
        };
    let sound = found(installed(&Reach::Service));
    assert_eq!(differences(&wanted, &sound), Vec::<String>::new());
    let elsewhere = found(installed(&Reach::Url("https://10.0.0.1".to_owned())));
    assert_eq!(differences(&wanted, &elsewhere).len(), 2);
    assert_eq!(differences(&wanted, &BTreeMap::new()).len(), 2);
    for (field, value) in [
        ("failurePolicy", json!("Ignore")),
        (
            "matchConditions",
            json!([{"name": "never", "expression": "false"}]),
        ),
        ("namespaceSelector", json!({"matchLabels": {"no": "where"}})),
        ("rules", json!([])),
        ("objectSelector", json!({"matchLabels": {"no": "where"}})),
    ] {
        for of in sound.keys() {
            let mut changed = sound.clone();
            changed.get_mut(of).unwrap()["webhooks"][0][field] = value.clone();
            assert_eq!(differences(&wanted, &changed).len(), 1, "{of:?} {field}");
        }
    }
}
