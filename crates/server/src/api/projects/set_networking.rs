//! `PUT /api/v1/org-unit/projects/{projectId}/networking` (ours): whether the people of a project may write Ingresses and
//! NetworkPolicies (R24). The operator writes it to the namespace's label; from then on the API server's policy goes by it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::org::{Project, SetNetworking};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::AuditAction;
use reeve_types::ProjectId;

use super::to_wire;
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
    JsonBody(body): JsonBody<SetNetworking>,
) -> Result<Json<Project>, ApiError> {
    let id: ProjectId = segment.id("project")?;
    let row = app
        .change(move |app| async move {
            let hidden = || ApiError::not_found("project", id);
            let (here, seen) = (Scope::Project(id), Entity::Project);
            // First the right to change it, as for every operation on a project; then that for the whole cluster.
            drop(
                app.directory()
                    .allow(&caller, Action::Update, Entity::Project, here, seen, hidden)?,
            );
            let cluster = app.directory().cluster_of(here).ok_or_else(hidden)?;
            let whole = Scope::Cluster(cluster);
            let decided = app
                .directory()
                .index()
                .decide(&caller.principal, Action::Update, seen, whole);
            let granted = decided.map_err(|denial| app.directory().forbidden(&denial))?;
            let new = reeve_store::SetNetworking {
                allowed: body.allow_networking,
                at: call.at,
                by: caller.name.clone(),
            };
            let mut entry = call.entry(&caller, &granted, AuditAction::Update);
            entry.cluster_id = Some(cluster);
            Ok(app.store.set_project_networking(&granted, id, new, entry).await?)
        })
        .await?;
    Ok(Json(to_wire(row)?))
}
