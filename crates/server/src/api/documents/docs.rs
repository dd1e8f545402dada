//! `GET /docs`: this API as a page to read. It holds no script and loads nothing, and its policy lets nothing be loaded or
//! run, whatever got into it.

use std::sync::LazyLock;

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

static PAGE: LazyLock<Bytes> =
    LazyLock::new(|| Bytes::from(reeve_api::openapi::page(&reeve_api::openapi::document())));

/// Only the style sheet that the page brings, by its digest (CSP Level 3, section 6.7.2).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(reeve_api::openapi::STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    )
});

/// The page.
pub async fn handle() -> impl IntoResponse {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.clone())
}
