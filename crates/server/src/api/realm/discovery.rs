//! `GET /auth/realms/runai/.well-known/openid-configuration`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::realm::Discovery;

use crate::app::App;

/// The document of this server's public address.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Discovery> {
    Json(Discovery::new(&app.settings.public_url))
}
