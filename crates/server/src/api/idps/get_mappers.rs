//! `GET /api/v1/idps/{idp}/mappers`: all of them, the usual ones included.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::identity_provider::Mappers;

use super::{readable, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// Which claim is what.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Mappers>, ApiError> {
    let idp = readable(&app, &caller, &segment).await?;
    Ok(Json(to_wire(&app, &idp).await.mappers))
}
