//! `POST /v1/k8s/auth/oauth/apptoken`: an application's token, as older clients of the reference ask for it. The same bounds and events as
//! `POST /api/v1/token`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::token::{AppTokenRequest, AppTokenResponse};

use super::grant::grant;
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Checks the secret, records the sign-in, and only then gives the token.
pub async fn handle(
    State(app): State<Arc<App>>,
    call: Call,
    JsonBody(body): JsonBody<AppTokenRequest>,
) -> Result<Json<AppTokenResponse>, ApiError> {
    let tokens = grant(&app, &call, body.into()).await??;
    Ok(Json(AppTokenResponse {
        access_token: tokens.access.clone().into(),
        id_token: tokens.access.into(),
    }))
}
