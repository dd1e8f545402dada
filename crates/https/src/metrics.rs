//! The route `/metrics`: OpenMetrics text, for who may read it.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;

use crate::access::MetricsAccess;

/// The text that is answered.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`, of what this makes each time.
pub fn router<F>(access: MetricsAccess, text: F) -> Router
where
    F: Fn() -> Result<String, fmt::Error> + Send + Sync + 'static,
{
    let shared = Arc::new((access, text));
    let answer = move |headers: HeaderMap| {
        let shared = Arc::clone(&shared);
        async move {
            match shared.0.check(&headers).await {
                Ok(()) => shown((shared.1)()),
                Err(refused) => refused.into_response(),
            }
        }
    };
    Router::new().route("/metrics", get(answer))
}

/// Everything in a registry, as text.
///
/// # Errors
/// Never in practice: writing to a string.
pub fn text_of(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    Ok(text)
}

fn shown(text: Result<String, fmt::Error>) -> Response {
    match text {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "cannot encode metrics\n").into_response(),
    }
}
