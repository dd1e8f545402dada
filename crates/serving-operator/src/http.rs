//! Probes over plain HTTP, as the kubelet asks, and metrics over it where somebody wants them so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry as Metrics;
use reeve_kube_kit::serve::Readiness;
use tokio::net::TcpListener;

/// Serves `/healthz` and `/readyz` until dropped.
pub(crate) async fn probes(listener: TcpListener, readiness: Readiness) -> io::Result<()> {
    let ready = move || {
        let missing = readiness.report();
        async move {
            if missing.is_empty() {
                (StatusCode::OK, "ok\n".to_owned())
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
            }
        }
    };
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready));
    axum::serve(listener, router).await
}

/// Serves `/metrics` to anybody, until dropped: `--metrics-secure=false`.
pub(crate) async fn metrics(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<()> {
    let router = Router::new().route("/metrics", get(move || async move { text(&metrics) }));
    axum::serve(listener, router).await
}

fn text(metrics: &Metrics) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, metrics) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "cannot encode metrics\n").into_response(),
    }
}

/// A listener that is bound.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
