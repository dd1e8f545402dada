//! `PUT /api/v1/clusters/{clusterUuid}/lowest-id` (ours): the lowest uid and gid that people may have in the cluster. Who has a
//! lower one gets no token for it and submits nothing there from the next request on; what runs already goes on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::cluster::{Cluster, SetLowestId};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::ClusterId;

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Sets it: for administrators of the account, whose numbers they are.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(SetLowestId { lowest_id: lowest }): JsonBody<SetLowestId>,
) -> Result<Json<Cluster>, ApiError> {
    let id: ClusterId = segment.id("cluster")?;
    let row = app
        .change(caller.asker(), move |app| async move {
            let granted = app
                .directory()
                .allow_in_account(&caller, Action::Update, Entity::Cluster)?;
            let mut entry = call.entry(&caller, &granted, AuditAction::Update);
            entry.cluster_id = Some(id);
            Ok(app.store.set_lowest_id(&granted, id, lowest, entry).await?)
        })
        .await?;
    Ok(Json(to_wire(&app, row)))
}
