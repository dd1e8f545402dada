//! Bounds of a request's head: looked at before anything else is.

use axum::body::Body;
use axum::http::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// The most bytes that names and values of all headers may have.
pub const HEADERS: usize = 16 * 1024;
/// The longest query string, in bytes.
pub const QUERY: usize = 8 * 1024;
/// The longest path, in bytes.
pub const PATH: usize = 2 * 1024;

/// 431 for too much in headers, 400 for too long an address.
pub async fn check(request: Request<Body>, next: Next) -> Response {
    match refusal(&request) {
        Some(error) => error.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(request: &Request<Body>) -> Option<ApiError> {
    let headers: usize = request
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .sum();
    if headers > HEADERS {
        return Some(ApiError::HeadersTooLarge { limit: HEADERS });
    }
    let too_long = |what, limit| ApiError::AddressTooLong { what, limit };
    let query = request.uri().query().map_or(0, str::len);
    if query > QUERY {
        return Some(too_long("query string", QUERY));
    }
    (request.uri().path().len() > PATH).then(|| too_long("path", PATH))
}
