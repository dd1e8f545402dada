//! `POST /api/v1/clusters/{clusterUuid}/secret` (ours): 200 with a new link secret that is shown once. The old one is worth
//! nothing from the next request on: what it earned ends, open streams too.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::service_account::NewSecret;
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::ClusterId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, Segment};

/// Gives the cluster's link another secret.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
    NoBody: NoBody,
) -> Result<Json<NewSecret>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let (client_secret, credential) = app.security.new_secret()?;
    app.change(move |app| async move {
        let hidden = || ApiError::not_found("cluster", id);
        let granted = app.directory().allow(
            &caller,
            Action::Update,
            Entity::Cluster,
            Scope::Cluster(id),
            Entity::Cluster,
            hidden,
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = Some(id);
        entry
            .metadata
            .insert("linkSecret".to_owned(), "replaced".to_owned());
        let number = app
            .store
            .set_cluster_credential(&granted, id, credential, entry)
            .await?;
        if let Some(facts) = app.directory_mut().cluster_mut(id) {
            facts.credential = number;
        }
        app.hub.end_streams(id, number);
        Ok(())
    })
    .await?;
    Ok(Json(NewSecret {
        client_secret: client_secret.into(),
    }))
}
