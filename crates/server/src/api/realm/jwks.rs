//! `GET /auth/realms/runai/protocol/openid-connect/certs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use crate::app::App;

/// The key that signs, the next one, and those that signed as long as a token of theirs may be good.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.security.jwks())
}
