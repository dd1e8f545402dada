//! `DELETE /api/v1/clusters/{clusterUuid}`: 204. Takes effect at once, with all that is in it: its link stream ends, and its
//! secret then only earns the 410 that ends people's rights in the cluster. What runs there goes on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::ClusterId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{Pairs, Segment};

/// Removes a cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
    pairs: Pairs,
) -> Result<StatusCode, ApiError> {
    pairs.only(&["force"])?;
    pairs.one_of("force", &["true", "false"])?;
    let id: ClusterId = segment.id("cluster")?;
    app.revoke(move |app| async move {
        let scope = Scope::Cluster(id);
        let hidden = || ApiError::not_found("cluster", id);
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::Cluster,
            scope,
            Entity::Cluster,
            hidden,
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = Some(id);
        let committed = app.store.delete_cluster(&granted, id, call.at, entry).await?;
        Ok(committed.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
