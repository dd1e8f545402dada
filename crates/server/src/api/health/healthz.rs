//! `GET /healthz`: the process lives.

use axum::Json;
use serde_json::{Value, json};

/// Says so.
pub async fn handle() -> Json<Value> {
    Json(json!({"status": "ok"}))
}
