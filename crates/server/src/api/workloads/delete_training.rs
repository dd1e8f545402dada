//! `DELETE /api/v1/workloads/trainings/{workloadId}`: 202.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::Accepted;
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::WorkloadId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Takes a training out of its cluster's desired state; the cluster ends it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let id: WorkloadId = segment.id("training")?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("training", id);
        let project = app.store.locate_workload(id).await?.ok_or_else(hidden)?;
        let scope = Scope::Project(project);
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::Trainings,
            scope,
            Entity::Trainings,
            hidden,
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        let committed = app.store.delete_workload(&granted, id, entry).await?;
        let message = "the training is being deleted".to_owned();
        Ok(committed.map(|()| (StatusCode::ACCEPTED, Json(Accepted { code: 202, message }))))
    })
    .await
}
