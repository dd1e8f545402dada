//! `GET /api/v1/clusters/{clusterUuid}/cluster-install-info`: 200 with the commands that install the operator, the cluster's link secret
//! in them. Whoever is shown it can speak as the cluster: it takes the permission that a new secret takes, and is an event of
//! the audit log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::ClusterInstallInfo;
use reeve_link::KubernetesEndpoint;
use reeve_types::ClusterId;

use super::may_change;
use super::refusal::ClusterRefusal;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};
use crate::installation::{Installation, chart_version, is_plain};

/// Shows how the cluster is installed.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<Json<ClusterInstallInfo>, ApiError> {
    pairs.only(&["version", "remoteClusterUrl"])?;
    let version = chart_version(pairs.get("version").unwrap_or_default())?.to_owned();
    let reached_at = reached_at(&pairs)?;
    let id: ClusterId = segment.id("cluster")?;
    let kept = app
        .change(caller.asker(), move |app| async move {
            let (granted, mut entry) = may_change(&app, &caller, &call, id)?;
            entry.metadata.insert("linkSecret".to_owned(), "shown".to_owned());
            Ok(app.store.reveal_cluster_secret(&granted, id, entry).await?)
        })
        .await?;
    let secret = app.security.open_link_secret(id, &kept)?;
    let secret = secret.ok_or(ClusterRefusal::NoLinkSecret(id))?;
    let installation = Installation {
        charts: &app.settings.charts,
        control_plane: &app.settings.public_url,
        authority: app.settings.charts.authority().await?,
        cluster: id,
        secret: &secret,
        version: &version,
        reached_at: reached_at.as_deref(),
    };
    Ok(Json(ClusterInstallInfo {
        installation_str: installation.commands(),
        repository_name: app.settings.charts.repository_name().to_owned(),
        chart_repo_url: app.settings.charts.repository.clone().unwrap_or_default(),
        client_secret: secret.into(),
    }))
}

/// Where people reach the cluster's API server, if the caller says so: what `apiServer.url` of the chart is.
fn reached_at(pairs: &QueryPairs) -> Result<Option<String>, ClusterRefusal> {
    let Some(server) = pairs.get("remoteClusterUrl").filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let endpoint = KubernetesEndpoint {
        server: server.to_owned(),
        certificate_authority_data: String::new(),
    };
    if endpoint.check().is_err() || !is_plain(&endpoint.server) {
        return Err(ClusterRefusal::RemoteAddress);
    }
    Ok(Some(endpoint.server))
}
