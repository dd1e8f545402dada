//! `POST /api/v1/clusters/{clusterUuid}/secret` (ours): 200 with a new link secret. The old one is worth
//! nothing from the next request on: what it earned ends, open streams too.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::service_account::NewSecret;
use reeve_types::ClusterId;

use super::may_change;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Gives the cluster's link another secret.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<NewSecret>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let (client_secret, secret) = app.security.new_link_secret(id)?;
    app.revoke(caller.asker(), move |app| async move {
        let (granted, mut entry) = may_change(&app, &caller, &call, id)?;
        entry
            .metadata
            .insert("linkSecret".to_owned(), "replaced".to_owned());
        let set = app.store.set_cluster_credential(&granted, id, secret, entry);
        Ok(set.await?)
    })
    .await?;
    Ok(Json(NewSecret {
        client_secret: client_secret.into(),
    }))
}
