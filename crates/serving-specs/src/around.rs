//! What is there beside the object of a spec: what its good words name. The operator leaves these objects alone (they are paused), so
//! that they stand as they are written here.

use serde_json::{Value, json};

/// The name of the runtime configurations that specs name.
pub const CONFIG: &str = "tuned";

fn object(kind: &str, name: &str, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": "aim.eai.amd.com/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"name": name, "annotations": {"aim.eai.amd.com/reconciliation-paused": "true"}},
    })
}

/// Services name one, templates another: a template that comes and goes is no choice for a service then.
fn model(kind: &str, name: &str) -> Value {
    let spec = json!({"image": format!("registry.example/{name}:1")});
    object(kind, name, spec, json!({"status": "Ready"}))
}

/// A template that needs no files, of the model that services name.
fn serving() -> Value {
    let profile = json!({"metadata": {"type": "optimized", "metric": "latency", "precision": "fp16"}});
    let status = json!({"status": "Ready", "profile": profile});
    object("AIMServiceTemplate", "t", json!({"modelName": "served"}), status)
}

/// A template with files, of another model: no service chooses it by itself.
fn with_files(kind: &str) -> Value {
    let source = |name: &str| json!({"modelId": format!("org/{name}"), "sourceUri": format!("hf://org/{name}"), "size": "1Gi"});
    let sources = json!([source("name"), source("second")]);
    let status = json!({"status": "Ready", "modelSources": sources});
    object(
        kind,
        "files",
        json!({"modelName": "with-files", "modelSources": sources}),
        status,
    )
}

/// The objects of a namespace.
pub fn of_namespace() -> Vec<Value> {
    let config = json!({
        "storage": {"defaultStorageClassName": "fast", "pvcHeadroomPercent": 20},
        "routing": {"gatewayRef": {"name": "g"}, "annotations": {"a": "b"}},
        "env": [{"name": "A", "value": "tuned"}, {"name": "AIM_ENGINE_ARGS", "value": "{\"a\":{\"x\":1}}"}],
        "labelPropagation": {"enabled": true, "match": ["team.example/*"]},
    });
    vec![
        object("AIMRuntimeConfig", CONFIG, config, json!({})),
        model("AIMModel", "served"),
        model("AIMModel", "m"),
        serving(),
        with_files("AIMServiceTemplate"),
    ]
}

/// The objects of the cluster.
pub fn of_cluster() -> Vec<Value> {
    let config = json!({"env": [{"name": "B", "value": "cluster"}], "routing": {"requestTimeout": "30s"}});
    vec![
        object("AIMClusterRuntimeConfig", CONFIG, config, json!({})),
        model("AIMClusterModel", "m"),
        with_files("AIMClusterServiceTemplate"),
    ]
}
