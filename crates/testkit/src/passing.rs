//! What stands between a program and an API server does one of two things with a request: passes it on, or answers it itself.

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::json;

/// The largest body that is passed on, in bytes: the API server takes no larger object.
const BODY: usize = 8 << 20;

/// Passes a request on to the API server of a client, as that client; answers what that answers, while it comes.
///
/// # Errors
/// The body is larger than an API server takes, or the API server does not answer.
pub async fn pass_on(client: &Client, request: Request) -> Result<Response> {
    let (mut head, body) = request.into_parts();
    let bytes = to_bytes(body, BODY).await.context("reading its body")?;
    // The client says both itself.
    for name in [header::HOST, header::AUTHORIZATION] {
        head.headers.remove(name);
    }
    let onward = Request::from_parts(head, kube::client::Body::from(bytes.to_vec()));
    let answered = client.send(onward).await.context("asking the API server")?;
    let (mut head, body) = answered.into_parts();
    // These are of one connection.
    for name in [header::CONNECTION, header::TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    Ok(Response::from_parts(head, Body::new(body)))
}

/// A refusal in the words of an API server: a `Status`.
pub fn refusal(code: StatusCode, reason: &str, message: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason,
        "code": code.as_u16()});
    (code, axum::Json(status)).into_response()
}
