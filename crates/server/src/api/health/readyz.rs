//! `GET /readyz`: it can serve; lists what is missing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reeve_api::ErrorBody;
use serde_json::json;

use crate::app::App;
use crate::error::log_chain;

/// 200, or 503 with the list.
pub async fn handle(State(app): State<Arc<App>>) -> Response {
    let mut missing = Vec::new();
    // Both at a time: of a database that is silent nobody waits for two answers.
    let (initialized, writable) = tokio::join!(app.store.is_initialized(), app.store.is_writable());
    match initialized {
        Ok(true) => {}
        Ok(false) => missing.push("the account is not made yet"),
        Err(error) => {
            log_chain(&error);
            missing.push("the database does not answer");
        }
    }
    match writable {
        Ok(true) => {}
        Ok(false) => missing.push("the database can only be read"),
        // Said above.
        Err(_) if !missing.is_empty() => {}
        Err(error) => {
            log_chain(&error);
            missing.push("the database does not answer");
        }
    }
    if missing.is_empty() && app.up_to_date().await.is_err() {
        missing.push("what decisions are made from is not up to date with the database");
    }
    if *app.stopping.borrow() {
        missing.push("the server is ending");
    }
    if missing.is_empty() {
        return Json(json!({"status": "ready", "missing": missing})).into_response();
    }
    let body = ErrorBody {
        details: Some(missing.join("; ")),
        ..ErrorBody::new(503, "not ready")
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
