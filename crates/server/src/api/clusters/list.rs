//! `GET /api/v1/clusters`: a bare array, in pages of our own, which the reference does not have.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::Cluster;
use reeve_authz::Entity;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page of those the caller may read, and by id and name alone those in which she may read something. `verbosity` changes nothing yet; none is ever only requested for deletion.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<Cluster>>, ApiError> {
    pairs.only(&["verbosity", "includeRequestedForDelete", "offset", "limit"])?;
    pairs.one_of("verbosity", &["metadata", "full"])?;
    pairs.one_of("includeRequestedForDelete", &["true", "false"])?;
    let visible = app.directory().visible(&caller, Entity::Cluster)?;
    let rows = app.store.clusters(&visible, pairs.page()?).await?;
    Ok(Json(rows.into_iter().map(|row| to_wire(&app, row)).collect()))
}
