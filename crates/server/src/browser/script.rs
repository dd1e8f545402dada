//! `GET /passkeys.js`: the one script of our pages. It is a file of its own, since their policy lets nothing run that stands in them.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

const SCRIPT: &str = include_str!("passkeys.js");

/// The script.
pub(super) async fn handle() -> Response {
    let mut response = SCRIPT.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    response
}
