//! `PUT /api/v1/clusters/{clusterUuid}`: 204. Another name, for people: whatever else knows a cluster knows it by its id.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::cluster::RenameCluster;
use reeve_types::ClusterId;

use super::may_change;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Gives it the name.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(RenameCluster { name }): JsonBody<RenameCluster>,
) -> Result<StatusCode, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    app.change(caller.asker(), move |app| async move {
        let (granted, entry) = may_change(&app, &caller, &call, id)?;
        Ok(app.store.rename_cluster(&granted, id, name, entry).await?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
