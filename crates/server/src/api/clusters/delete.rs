//! `DELETE /api/v1/clusters/{clusterUuid}`: 204. Takes effect at once, with all that is in it: its link stream ends, and its
//! secret then only earns the 410 that ends people's rights in the cluster. What runs there goes on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::Scope;
use reeve_types::ClusterId;

use crate::api::deletion;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};

/// Removes a cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<StatusCode, ApiError> {
    pairs.only(&["force"])?;
    pairs.one_of("force", &["true", "false"])?;
    let id: ClusterId = segment.id("cluster")?;
    let at = call.at;
    deletion::of_scope(
        &app,
        caller,
        call,
        Scope::Cluster(id),
        move |app, granted, entry| async move { app.store.delete_cluster(&granted, id, at, entry).await },
    )
    .await
}
