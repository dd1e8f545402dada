//! `GET /api/v1/service-accounts`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::service_account::ServiceAccount;
use reeve_authz::{Action, Entity};

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// All of them.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<ServiceAccount>>, ApiError> {
    pairs.only(&[])?;
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::ServiceAccount)?;
    Ok(Json(
        app.store
            .service_accounts(&granted)
            .await?
            .into_iter()
            .map(to_wire)
            .collect(),
    ))
}
