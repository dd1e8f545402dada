//! `GET /auth/realms/runai/.well-known/openid-configuration`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use reeve_api::realm::Discovery;
use tokio::time::timeout;

use crate::app::App;

/// How long it is waited for whether devices may be signed in.
const PATIENCE: Duration = Duration::from_secs(1);

/// The document of this server's public address. API servers read it: a database that is away leaves out what it would say of devices,
/// and nothing else.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Discovery> {
    let settings = timeout(PATIENCE, app.security_settings()).await;
    let devices = matches!(settings, Ok(Ok(settings)) if settings.device_authorization);
    Json(Discovery::new(&app.settings.public_url, devices))
}
