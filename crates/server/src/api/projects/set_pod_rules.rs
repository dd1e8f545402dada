//! `PUT /api/v1/org-unit/projects/{projectId}/pod-rules` (ours): Pod Security, node pools, priorities, tolerations and second
//! writers of one project. The operator writes them to the namespace; from then on the API server's policies go by them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{Project, SetPodRules};
use reeve_store::AuditAction;
use reeve_types::ProjectId;

use super::{granted_in_the_cluster, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Decides it: for whoever may change projects in the whole cluster.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetPodRules>,
) -> Result<Json<Project>, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let row = app
        .change(caller.asker(), move |app| {
            let rules = body.clone().into();
            async move {
                let (granted, cluster) = granted_in_the_cluster(&app, &caller, id)?;
                let new = reeve_store::SetPodRules {
                    rules,
                    at: call.at,
                    by: caller.name.clone(),
                };
                let mut entry = call.entry(&caller, &granted, AuditAction::Update);
                entry.cluster_id = Some(cluster);
                Ok(app.store.set_project_pod_rules(&granted, id, new, entry).await?)
            }
        })
        .await?;
    Ok(Json(to_wire(row)?))
}
