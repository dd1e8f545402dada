//! `GET /api/v1/clusters/{clusterUuid}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::Cluster;
use reeve_authz::{Entity, Scope};
use reeve_types::ClusterId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::directory::Read;
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};

/// One cluster; by its id and name alone when the caller may read something in it only.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<Json<Cluster>, ApiError> {
    pairs.only(&["verbosity"])?;
    pairs.one_of("verbosity", &["metadata", "full"])?;
    let id: ClusterId = segment.id("cluster")?;
    let hidden = || ApiError::not_found("cluster", id);
    let read = app
        .directory()
        .read_scope(&caller, Entity::Cluster, Scope::Cluster(id), hidden)?;
    let row = match read {
        Read::Whole(granted) => app.store.cluster(&granted, id).await?,
        Read::Name(visible) => app.store.cluster_name(&visible, id).await?,
    };
    Ok(Json(to_wire(&app, row.ok_or_else(hidden)?)))
}
