//! `GET /api/v1/clusters/{clusterUuid}/kubernetes-endpoint` (ours): where people reach the API server.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use reeve_api::ErrorBody;
use reeve_api::kubernetes::KubernetesEndpoint;
use reeve_types::ClusterId;

use super::person_reaching;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// What an administrator set, or the cluster's operator said first; 404 with the reason until then. What was reported later is
/// served to nobody.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Response, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    person_reaching(&app, &caller, id)?;
    let endpoint = app
        .directory()
        .cluster(id)
        .and_then(|cluster| cluster.endpoint.clone());
    let Some(endpoint) = endpoint else {
        let message = "this cluster has not said how people reach its API server: its operator is not connected yet, or \
                       runs without `--advertise-api-server`";
        return Ok((http::StatusCode::NOT_FOUND, Json(ErrorBody::new(404, message))).into_response());
    };
    let shown = KubernetesEndpoint {
        server: endpoint.server,
        certificate_authority_data: endpoint.certificate_authority_data,
    };
    Ok(Json(shown).into_response())
}
