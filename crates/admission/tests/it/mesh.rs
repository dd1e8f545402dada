//! A webhook of somebody else that adds a container to every pod, as meshes and secrets agents do: a real one, over HTTPS.

use std::net::TcpListener;

use anyhow::Result;
use axum::extract::Path;
use axum::routing::post;
use axum::{Json, Router};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_admission::names;
use serde_json::{Value, json};

/// It serves until the test ends.
pub(crate) struct Mesh {
    url: String,
    authority: String,
}

impl Mesh {
    /// Serves on loopback; the path says how the container is called that it adds.
    pub(crate) async fn start() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let certificate = made.cert.pem();
        let key = made.signing_key.serialize_pem();
        let tls = RustlsConfig::from_pem(certificate.clone().into_bytes(), key.into_bytes()).await?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("https://{}", listener.local_addr()?);
        let routes = Router::new().route("/{container}", post(inject));
        let server = axum_server::from_tcp_rustls(listener, tls)?;
        tokio::spawn(server.serve(routes.into_make_service()));
        Ok(Self {
            url,
            authority: STANDARD.encode(certificate),
        })
    }

    /// What tells the API server of it, for the pods of the projects.
    pub(crate) fn configuration(&self, container: &str) -> String {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": container}, "webhooks": [{"name": format!("{container}.mesh.example.com"),
            "clientConfig": {"url": format!("{}/{container}", self.url), "caBundle": self.authority},
            "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "namespaceSelector": {"matchLabels": {names::PROJECT: "robots"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]})
        .to_string()
    }
}

/// A container of which it says nothing but name and image.
async fn inject(Path(container): Path<String>, Json(review): Json<Value>) -> Json<Value> {
    let container = json!({"name": container, "image": "local.test/mesh:1"});
    let patch = json!([{"op": "add", "path": "/spec/containers/-", "value": container}]);
    Json(
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
            "uid": review["request"]["uid"], "allowed": true, "patchType": "JSONPatch",
            "patch": STANDARD.encode(patch.to_string())}}),
    )
}
