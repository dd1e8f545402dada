//! `GET /api/v1/idps/{idp}`: as an item of the list, which the reference's document does not say.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::identity_provider::Idp;

use super::{readable, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<Idp>, ApiError> {
    let idp = readable(&app, &caller, &segment).await?;
    Ok(Json(to_wire(&app, &idp).await))
}
