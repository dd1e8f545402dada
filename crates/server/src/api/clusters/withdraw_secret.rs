//! `DELETE /api/v1/clusters/{clusterUuid}/secret` (ours): 204. The link secret is worth nothing from the next request on, and no other
//! takes its place until somebody makes one: tokens that it earned end, open streams too.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_types::ClusterId;

use super::may_change;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Takes the cluster's link secret away.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let nobodys = app.security.nobodys_link_secret()?;
    app.revoke(caller.asker(), move |app| async move {
        let (granted, mut entry) = may_change(&app, &caller, &call, id)?;
        entry
            .metadata
            .insert("linkSecret".to_owned(), "withdrawn".to_owned());
        let set = app.store.set_cluster_credential(&granted, id, nobodys, entry);
        Ok(set.await?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
