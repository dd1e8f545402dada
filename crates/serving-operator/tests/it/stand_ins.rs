//! Stand-ins: for KServe, which says that an InferenceService is ready, and for a Gateway, which takes a route.

use std::time::Duration;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

/// The end of the names of namespaces in which they say nothing.
const QUIET: &str = "quiet";

/// Answers as both, until dropped.
pub(crate) async fn run(client: Client) {
    let inference = GroupVersionKind::gvk("serving.kserve.io", "v1beta1", "InferenceService");
    let routes = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
    loop {
        each(&client, &inference, stand_in_kserve).await;
        each(&client, &routes, stand_in_gateway).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The cluster may be gone already: then there is nobody to answer to.
async fn each(client: &Client, kind: &GroupVersionKind, answer: fn(&Value) -> Option<Value>) {
    let resource = ApiResource::from_gvk(kind);
    let all = Api::<DynamicObject>::all_with(client.clone(), &resource);
    let Ok(list) = all.list(&ListParams::default()).await else {
        return;
    };
    for object in list.items {
        let namespace = object.namespace().unwrap_or_default();
        let value = serde_json::to_value(&object).unwrap();
        let Some(status) = answer(&value).filter(|_| !namespace.ends_with(QUIET)) else {
            continue;
        };
        let api = Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &resource);
        let patch = Patch::Merge(json!({"status": status}));
        let _ = api
            .patch_status(&object.name_any(), &PatchParams::default(), &patch)
            .await;
    }
}

/// As KServe, once all is well: ready, of this generation.
fn stand_in_kserve(inference: &Value) -> Option<Value> {
    let generation = &inference["metadata"]["generation"];
    (inference["status"]["observedGeneration"] != *generation).then(|| {
        json!({
            "observedGeneration": generation,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        })
    })
}

/// As a Gateway that takes the route: for each parent, of this generation.
fn stand_in_gateway(route: &Value) -> Option<Value> {
    let generation = &route["metadata"]["generation"];
    let said = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
    (said != generation).then(|| {
        let answer = |parent: &Value| {
            json!({
                "parentRef": parent,
                "controllerName": "stand-in.example/gateway",
                "conditions": [{
                    "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
                    "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
                }],
            })
        };
        let parents = route["spec"]["parentRefs"].as_array().unwrap();
        json!({"parents": parents.iter().map(answer).collect::<Vec<_>>()})
    })
}
