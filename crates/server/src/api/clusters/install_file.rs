//! `GET /v1/k8s/clusters/{clusterUuid}/installfile`: 200 with values of the chart that installs the operator. The cluster's link secret is
//! not among them, so that whoever may read the cluster may read them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::{
    INSTALL_CLOUDS, INSTALL_FORMATS, InstallAuthority, InstallCluster, InstallControlPlane, InstallFile,
    InstallGlobal, InstallImage,
};
use reeve_authz::{Entity, Scope};
use reeve_types::ClusterId;

use super::refusal::ClusterRefusal;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};
use crate::installation::SECRET_NAME;

/// The values for one cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<Json<InstallFile>, ApiError> {
    pairs.only(&["cloud", "clusterip", "format"])?;
    pairs.one_of("cloud", INSTALL_CLOUDS)?;
    pairs.one_of("format", INSTALL_FORMATS)?;
    if pairs
        .get("clusterip")
        .is_some_and(|addresses| !addresses.is_empty())
    {
        return Err(ClusterRefusal::ClusterIp.into());
    }
    let id: ClusterId = segment.id("cluster")?;
    let hidden = || ApiError::not_found("cluster", id);
    let granted = app
        .directory()
        .allow_read(&caller, Entity::Cluster, Scope::Cluster(id), hidden)?;
    let row = app.store.cluster(&granted, id).await?.ok_or_else(hidden)?;
    let charts = &app.settings.charts;
    let authority = charts.authority().await?.map(|_| InstallAuthority {
        existing_secret: SECRET_NAME.to_owned(),
    });
    let registry = charts.image_registry.clone();
    Ok(Json(InstallFile {
        global: InstallGlobal {
            image: registry.map(|registry| InstallImage { registry }),
            openshift: pairs.get("cloud") == Some("openshift"),
        },
        control_plane: InstallControlPlane {
            url: app.settings.public_url.clone(),
            existing_secret: SECRET_NAME.to_owned(),
            ca: authority,
        },
        cluster: InstallCluster { uid: row.id },
    }))
}
