//! `PATCH /api/v1/clusters/{clusterUuid}` (ours): 200. Sets where people reach the cluster's API server, which also confirms
//! or rejects what its operator reports instead.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::{Cluster, UpdateCluster};
use reeve_link::KubernetesEndpoint;
use reeve_types::ClusterId;

use super::refusal::ClusterRefusal;
use super::{may_change, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Sets the address.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<UpdateCluster>,
) -> Result<Json<Cluster>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let endpoint = KubernetesEndpoint {
        server: body.kubernetes_endpoint.server,
        certificate_authority_data: body.kubernetes_endpoint.certificate_authority_data,
    };
    endpoint.check().map_err(ClusterRefusal::Endpoint)?;
    let row = app
        .change(caller.asker(), move |app| async move {
            let (granted, mut entry) = may_change(&app, &caller, &call, id)?;
            entry
                .metadata
                .insert("kubernetesEndpoint".to_owned(), endpoint.server.clone());
            let set = app.store.set_kubernetes_endpoint(&granted, id, endpoint, entry);
            Ok(set.await?)
        })
        .await?;
    Ok(Json(to_wire(&app, row)))
}
