use reeve_serving::metadata::read;
use serde_json::{Value, json};

use crate::things::of;

#[test]
fn labels_become_metadata() {
    let labels = json!({
        "com.amd.aim.model.canonicalName": "org/m", "org.amd.silogen.model.canonicalName": "older", "com.amd.aim.title": "",
        "org.amd.silogen.title": "Title", "com.amd.aim.model.tags": " a, ,b", "com.amd.aim.hfToken.required": "True",
        "com.amd.aim.model.recommendedDeployments": "{'gpuModel': 'MI300X', 'gpuCount': 1, 'metric': 'latency'}",
        "org.opencontainers.image.version": "1", "unrelated": "x",
    });
    let read = read(of(labels.clone())).unwrap();
    assert_eq!(
        serde_json::to_value(read).unwrap(),
        json!({
        "model": {"canonicalName": "org/m", "title": "Title", "tags": ["a", "b"], "hfTokenRequired": true,
                  "recommendedDeployments": [{"gpuModel": "MI300X", "gpuCount": 1, "metric": "latency"}]},
        "oci": {"version": "1"}, "originalLabels": labels})
    );
}

#[test]
fn deployments_that_are_none_are_an_error_and_other_odd_labels_are_not() {
    let read_one = |key: &str, value: &str| {
        read(of(json!({key: value}))).map(|m| serde_json::to_value(m.model).unwrap())
    };
    assert!(read_one("com.amd.aim.model.recommendedDeployments", "soon").is_err());
    assert_eq!(
        read_one("com.amd.aim.model.recommendedDeployments", "[]").unwrap(),
        Value::Null
    );
    assert_eq!(
        read_one("com.amd.aim.hfToken.required", "maybe").unwrap(),
        Value::Null
    );
}
