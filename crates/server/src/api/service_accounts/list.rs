//! `GET /api/v1/service-accounts`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list::ServiceAccountColumn;
use reeve_api::service_account::ServiceAccount;
use reeve_authz::{Action, Entity};

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<ServiceAccount>>, ApiError> {
    let query = pairs.list::<ServiceAccountColumn>()?;
    let granted = app
        .directory()
        .allow_in_account(&caller, Action::Read, Entity::ServiceAccount)?;
    let page = app.store.service_accounts(&granted, &query).await?;
    Ok(Json(page.items.into_iter().map(to_wire).collect()))
}
