use reeve_serving::config::{name, resolve};
use reeve_serving_crds::Scope;
use serde_json::json;

use crate::things::of;

#[test]
fn the_namespace_wins_field_by_field() {
    let cluster = of(json!({
        "storage": {"defaultStorageClassName": "slow", "pvcHeadroomPercent": 20},
        "routing": {"enabled": true, "gatewayRef": {"name": "a", "namespace": "gw"}, "annotations": {"x": "1", "y": "1"}},
        "env": [{"name": "A", "value": "1"}, {"name": "AIM_ENGINE_ARGS", "value": "{\"a\":1,\"b\":{\"c\":1}}"}],
        "labelPropagation": {"enabled": true, "match": ["team"]},
    }));
    let namespaced = of(json!({
        "storage": {"defaultStorageClassName": "fast"},
        "routing": {"enabled": false, "gatewayRef": {"name": "b"}, "annotations": {"y": "2"}},
        "env": [{"name": "B", "value": "2"}, {"name": "AIM_ENGINE_ARGS", "value": "{\"b\":{\"d\":2}}"}, {"name": "A", "value": "3"}],
        "labelPropagation": {"match": []},
    }));
    let merged = resolve("default", Some(&cluster), Some(&namespaced)).unwrap();
    let expected = json!({
        "storage": {"defaultStorageClassName": "fast", "pvcHeadroomPercent": 20},
        // A namespace cannot switch off what the cluster switches on.
        "routing": {"enabled": true, "gatewayRef": {"name": "b", "namespace": "gw"}, "annotations": {"x": "1", "y": "2"}},
        "env": [{"name": "A", "value": "3"}, {"name": "AIM_ENGINE_ARGS", "value": "{\"a\":1,\"b\":{\"c\":1,\"d\":2}}"},
                {"name": "B", "value": "2"}],
        "labelPropagation": {"enabled": true, "match": ["team"]},
    });
    assert_eq!(serde_json::to_value(&merged.spec).unwrap(), expected);
    let from = merged.from.clone().unwrap();
    assert_eq!(
        (from.scope, merged.reason()),
        (Some(Scope::Merged), "ConfigFound")
    );
}

#[test]
fn deprecated_fields_fill_what_storage_does_not_say() {
    let old = of(
        json!({"defaultStorageClassName": "old", "pvcHeadroomPercent": 5, "storage": {"pvcHeadroomPercent": 7}}),
    );
    let storage = resolve("x", Some(&old), None).unwrap().spec.storage.unwrap();
    assert_eq!(
        (
            storage.default_storage_class_name.as_deref(),
            storage.pvc_headroom_percent
        ),
        (Some("old"), Some(7))
    );
}

#[test]
fn only_the_default_configuration_may_be_missing() {
    let none = resolve("default", None, None).unwrap();
    assert_eq!((none.reason(), none.from), ("DefaultConfigNotFound", None));
    assert!(
        resolve("special", None, None)
            .unwrap_err()
            .to_string()
            .contains("`special`")
    );
    assert_eq!(
        (name(None), name(Some("")), name(Some("a"))),
        ("default", "default", "a")
    );
}

#[test]
fn engine_arguments_that_are_no_objects_are_replaced() {
    let merge = |base: &str, over: &str| {
        let variable = |value: &str| crate::things::env(&[("AIM_ENGINE_ARGS", value)]);
        reeve_serving::env::merge(&variable(base), &variable(over))[0]
            .value
            .clone()
            .unwrap()
    };
    assert_eq!(merge("{\"a\":1}", "--flag"), "--flag");
    assert_eq!(merge("--flag", "{\"a\":1}"), "{\"a\":1}");
    assert_eq!(merge("{\"a\":1}", ""), "{\"a\":1}");
    assert_eq!(merge("", "{\"a\":1}"), "{\"a\":1}");
}
