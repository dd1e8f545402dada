//! Whatever the API server accepts can be read, and unset stays unset.

use reeve_serving_crds::{AimArtifact, AimModel, AimService};
use serde_json::json;

#[test]
fn an_object_without_spec_can_be_read() {
    let service: AimService = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
    assert_eq!(
        service,
        AimService {
            metadata: service.metadata.clone(),
            ..AimService::default()
        }
    );
}

#[test]
fn quantities_may_be_numbers_or_text() {
    let artifact: AimArtifact =
        serde_json::from_value(json!({"spec": {"sourceUri": "hf://a/b", "size": 1024}})).unwrap();
    assert_eq!(artifact.spec.size.unwrap().0, "1024");
    let service: AimService = serde_json::from_value(json!({"spec": {
        "model": {"name": "m"}, "resources": {"limits": {"amd.com/gpu": 1, "memory": "2Gi"}}
    }}))
    .unwrap();
    let limits = service.spec.resources.unwrap().limits.unwrap();
    assert_eq!(
        (limits["amd.com/gpu"].0.as_str(), limits["memory"].0.as_str()),
        ("1", "2Gi")
    );
}

/// In Go a `false` under `discovery` is omitted when it is the zero value; a client that writes what was never said changes
/// what the object means.
#[test]
fn what_was_not_said_is_not_written() {
    let text = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMModel", "metadata": {"name": "m"},
        "spec": {"image": "a:1", "discovery": {"extractMetadata": false}}});
    let model: AimModel = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(serde_json::to_value(&model).unwrap(), text);
}
