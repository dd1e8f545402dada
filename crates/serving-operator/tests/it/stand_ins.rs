//! Stand-ins: for KServe, which says that an InferenceService is ready, for a Gateway, which takes a route, and for an image registry
//! that wants a password.

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

/// The password of the registry.
pub(crate) const PASSWORD: &str = "canary-of-a-pull-secret";

/// As a registry with two images, to who knows the password: their labels say how they want to be run.
pub(crate) async fn registry() -> std::net::SocketAddr {
    registry_for(true).await
}

/// The same to everybody.
pub(crate) async fn open_registry() -> std::net::SocketAddr {
    registry_for(false).await
}

async fn registry_for(who_knows: bool) -> std::net::SocketAddr {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;
    use base64::Engine;

    let sha256 = |text: &str| {
        use sha2::{Digest, Sha256};
        let hash = Sha256::digest(text.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    };
    let labels = json!({"com.amd.aim.model.canonicalName": "org/tiny",
        "com.amd.aim.model.recommendedDeployments": "{'metric': 'latency', 'precision': 'fp16'}"});
    let config = json!({"config": {"Labels": labels}}).to_string();
    let manifest = json!({"config": {"digest": sha256(&config)}}).to_string();
    let known = base64::engine::general_purpose::STANDARD.encode(format!("ann:{PASSWORD}"));
    let answer = move |request: axum::extract::Request| {
        let said = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|it| it.to_str().ok());
        let path = request.uri().path();
        let answer = if who_knows && said != Some(format!("Basic {known}").as_str()) {
            (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Basic realm=x")],
            )
                .into_response()
        } else if path == "/v2/_catalog" {
            json!({"repositories": ["team/tiny", "other/x"]})
                .to_string()
                .into_response()
        } else if path == "/v2/team/tiny/tags/list" {
            json!({"tags": ["0.9.0", "1.2.0", "latest"]})
                .to_string()
                .into_response()
        } else if path.contains("/manifests/") {
            manifest.clone().into_response()
        } else if path.contains("/blobs/") {
            config.clone().into_response()
        } else {
            StatusCode::NOT_FOUND.into_response()
        };
        async move { answer }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let router = axum::Router::new().fallback(answer);
        axum::serve(listener, router).await.unwrap();
    });
    address
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
