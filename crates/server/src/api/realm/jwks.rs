//! `GET /auth/realms/runai/protocol/openid-connect/certs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::app::App;

/// Both keys: the one that signs and the next one.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.security.jwks())
}
