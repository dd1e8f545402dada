//! `GET /api/openapi.json`: this API as an OpenAPI 3.1 document.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;

use crate::extract::json_bytes;

static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(reeve_api::openapi::text()));

/// The same text as `docs/openapi.json` of this version.
pub async fn handle() -> Response {
    json_bytes(StatusCode::OK, TEXT.clone())
}
