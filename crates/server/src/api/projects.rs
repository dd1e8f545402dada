//! Projects (control-plane 3.2).

pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
mod refusal;
pub mod resources;
pub mod set_networking;
pub mod set_pod_rules;
pub mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::org::ProjectOperation;
use reeve_api::org::{
    EffectiveSettings, OrgUnitSettings, ParentDepartment, Project, ProjectPhase, ProjectStatus,
};
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_link::StatusPhase;
use reeve_store::ProjectRow;
use reeve_types::{ClusterId, ProjectId};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: ProjectOperation) -> MethodRouter<Arc<App>> {
    use ProjectOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetProjects => to(row, list::handle),
        Op::CreateProject => to(row, create::handle),
        Op::CountProjects => to(row, count::handle),
        Op::GetProject => to(row, get::handle),
        Op::UpdateProject => to(row, update::handle),
        Op::SetProjectResources => to(row, resources::replace),
        Op::PatchProjectResources => to(row, resources::merge),
        Op::SetProjectNetworking => to(row, set_networking::handle),
        Op::SetProjectPodRules => to(row, set_pod_rules::handle),
        Op::DeleteProject => to(row, delete::handle),
    }
}

/// The right to decide what concerns a whole cluster of one of its projects. First the right to change the project, as for every
/// operation on one; then that for the whole cluster.
fn granted_in_the_cluster(
    app: &App,
    caller: &Caller,
    id: ProjectId,
) -> Result<(Granted, ClusterId), ApiError> {
    let hidden = || ApiError::not_found("project", id);
    let (here, seen) = (Scope::Project(id), Entity::Project);
    drop(
        app.directory()
            .allow(caller, Action::Update, Entity::Project, here, seen, hidden)?,
    );
    let cluster = app.directory().cluster_of(here).ok_or_else(hidden)?;
    let whole = Scope::Cluster(cluster);
    let decided = app
        .directory()
        .index()
        .decide(&caller.principal, Action::Update, seen, whole);
    let granted = decided.map_err(|denial| app.directory().forbidden(&denial))?;
    Ok((granted, cluster))
}

/// What a store keeps of a project beside its place and name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    enforce_runai_scheduler: bool,
    settings: OrgUnitSettings,
}

/// A project as it is shown.
fn to_wire(row: ProjectRow) -> Result<Project, ApiError> {
    let details: Details = serde_json::from_value(row.details).map_err(ApiError::internal)?;
    let status = match row.status {
        Some(status) => ProjectStatus {
            namespace: Some(row.namespace.clone()),
            phase: phase(status.phase),
            phase_message: Some(status.message).filter(|message| !message.is_empty()),
            last_updated_time: Some(status.updated_at),
        },
        None => ProjectStatus {
            namespace: Some(row.namespace.clone()),
            phase: ProjectPhase::Creating,
            phase_message: Some("the cluster has not taken it up yet".to_owned()),
            last_updated_time: None,
        },
    };
    Ok(Project {
        id: row.id,
        name: row.name.to_string(),
        cluster_id: row.cluster_id,
        parent_id: row.department_id,
        parent: Some(ParentDepartment {
            id: row.department_id,
            name: row.department_name.to_string(),
        }),
        requested_namespace: row.namespace_requested.then_some(row.namespace),
        enforce_runai_scheduler: details.enforce_runai_scheduler,
        allow_networking: row.allow_networking,
        pod_rules: row.pod_rules,
        effective: EffectiveSettings::from(&details.settings),
        status,
        total_resources: details.settings.total(),
        settings: details.settings,
        created_at: row.created_at,
        updated_at: row.updated_at,
        created_by: row.created_by,
        updated_by: row.updated_by,
    })
}

const fn phase(phase: StatusPhase) -> ProjectPhase {
    match phase {
        StatusPhase::Creating => ProjectPhase::Creating,
        StatusPhase::Ready => ProjectPhase::Ready,
        StatusPhase::NotReady | StatusPhase::Failed => ProjectPhase::NotReady,
        StatusPhase::Deleting => ProjectPhase::Deleting,
        StatusPhase::Deleted => ProjectPhase::Deleted,
        StatusPhase::Pending | StatusPhase::Running | StatusPhase::Completed => ProjectPhase::Unknown,
    }
}
