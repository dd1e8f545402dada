//! Objects as an API server gives them.

use reeve_cli::adopt::{Inventory, Report, report};
use serde_json::{Value, json};

pub(super) const STAMP: &str = "123e4567-e89b-12d3-a456-426614174000/70012/5000/5001";

/// A pod's spec that breaks no rule of shape and says nothing of whose it is.
pub(super) fn plain() -> Value {
    json!({"containers": [{"name": "main", "image": "i"}]})
}

pub(super) fn root() -> Value {
    json!({"containers": [{"name": "main", "image": "i", "securityContext": {"runAsUser": 0}}]})
}

/// An object of a kind with a template.
pub(super) fn object(kind: &str, name: &str, spec: &Value) -> Value {
    let labels = json!({"app": name});
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let (api_version, spec) = match kind {
        "Pod" => ("v1", spec.clone()),
        "CronJob" => (
            "batch/v1",
            json!({"jobTemplate": {"metadata": {}, "spec": {"template": template}}}),
        ),
        "Job" => ("batch/v1", json!({"template": template})),
        "ReplicationController" => (
            "v1",
            json!({"replicas": 0, "selector": labels, "template": template}),
        ),
        "RayCluster" => ("ray.io/v1", ray(&template)),
        "RayJob" => (
            "ray.io/v1",
            json!({"rayClusterSpec": ray(&template), "submitterPodTemplate": template}),
        ),
        "RayService" => ("ray.io/v1", json!({"rayClusterConfig": ray(&template)})),
        "InferenceService" => {
            let mut predictor = spec.clone();
            predictor["labels"] = labels;
            ("serving.kserve.io/v1beta1", json!({"predictor": predictor}))
        }
        _ if kind.starts_with("AIM") => ("aim.eai.amd.com/v1alpha1", json!({"model": {"name": "m"}})),
        _ => {
            let spec = json!({"replicas": 0, "selector": {"matchLabels": labels}, "template": template});
            ("apps/v1", spec)
        }
    };
    let mut object = json!({
        "apiVersion": api_version, "kind": kind, "metadata": {"name": name, "uid": format!("{kind}-{name}")}, "spec": spec,
    });
    if kind == "Pod" {
        object["status"] = json!({"phase": "Running"});
        object["spec"]["nodeName"] = json!("node-1");
    }
    object
}

fn ray(template: &Value) -> Value {
    json!({
        "headGroupSpec": {"template": template},
        "workerGroupSpecs": [
            {"groupName": "a", "replicas": 1, "template": template},
            {"groupName": "b", "replicas": 2, "template": template},
        ],
    })
}

/// A revision from which controllers make pods.
pub(super) fn revision(name: &str, metadata: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": name, "uid": name}, "revision": 1,
        "data": {"spec": {"template": {"metadata": metadata, "spec": plain(), "$patch": "replace"}}},
    })
}

pub(super) fn owned(mut object: Value, owner: &Value) -> Value {
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true,
    }]);
    object
}

/// Puts a value at a pointer, making what is missing on the way.
pub(super) fn put(object: &mut Value, place: &str, key: &str, value: &str) {
    let mut at = object;
    for part in place.split('/').skip(1) {
        at = match part.parse::<usize>() {
            Ok(i) => &mut at[i],
            Err(_) => &mut at[part],
        };
    }
    at[key] = json!(value);
}

pub(super) fn project(name: &str, id: &str, namespace: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"id": id, "departmentId": "2", "namespace": namespace}})
}

/// The namespace `old`, which project `robots` asks for.
pub(super) fn inventory(objects: Vec<Value>) -> Inventory {
    Inventory {
        namespace: json!({"metadata": {"name": "old", "labels": {"team": "a"}}}),
        projects: vec![
            project("robots", "3", "old"),
            project("other", "4", "reeve-other"),
        ],
        objects,
        config: Some(json!({"spec": {"trustedControllers": [
            {"namespace": "ray-system", "serviceAccount": "kuberay-operator", "kinds": ["RayCluster", "RayJob", "RayService"]},
            {"namespace": "kserve", "serviceAccount": "kserve-controller-manager", "kinds": ["InferenceService"]},
            {"namespace": "aim-system", "serviceAccount": "aim-engine-controller-manager",
             "kinds": ["AIMService", "AIMModel", "AIMServiceTemplate", "AIMTemplateCache", "AIMArtifact"]},
        ]}})),
        ..Inventory::default()
    }
}

pub(super) fn of(objects: Vec<Value>) -> Report {
    report(&inventory(objects))
}

/// A patch of the plan applied: a list is a JSON Patch (RFC 6902) of removals.
pub(super) fn apply(target: &mut Value, patch: &Value) {
    let Some(operations) = patch.as_array() else {
        return merge(target, patch);
    };
    for operation in operations {
        assert_eq!(operation["op"], "remove", "{operation}");
        let (at, key) = operation["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let map = target.pointer_mut(at).and_then(Value::as_object_mut);
        let removed = map.and_then(|map| map.remove(&key.replace("~1", "/").replace("~0", "~")));
        assert!(removed.is_some(), "nothing at {operation}");
    }
}

/// A JSON merge patch (RFC 7396) applied.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Some(members) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in members {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
