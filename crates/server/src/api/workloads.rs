//! Workloads (control-plane 4.5). Trainings are the only kind yet.

pub mod count;
pub mod create_training;
pub mod delete_training;
pub mod get;
pub mod get_training;
pub mod list;
pub mod list_trainings;
mod policy;
mod refusal;
mod secret_volumes;
mod tolerations;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::list::{ListQuery, WorkloadColumn};
use reeve_api::training::TrainingOperation;
use reeve_api::training::{DesiredPhase, Training, TrainingSpec};
use reeve_api::workload::WorkloadOperation;
use reeve_api::workload::{ActionsSupport, Phase, Source, Workload, Workloads};
use reeve_authz::{Entity, Scope, Visible};
use reeve_link::StatusPhase;
use reeve_store::{WorkloadRow, WorkloadSummary};
use reeve_types::WorkloadId;

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: WorkloadOperation) -> MethodRouter<Arc<App>> {
    use WorkloadOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetWorkloads => to(row, list::handle),
        Op::CountWorkloads => to(row, count::handle),
        Op::GetWorkload => to(row, get::handle),
    }
}

/// The handler of each operation on trainings.
pub(crate) fn training_route(operation: TrainingOperation) -> MethodRouter<Arc<App>> {
    use TrainingOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetTrainings => to(row, list_trainings::handle),
        Op::CreateTraining => to(row, create_training::handle),
        Op::GetTraining => to(row, get_training::handle),
        Op::DeleteTraining => to(row, delete_training::handle),
    }
}

/// The one kind there is yet.
const TRAINING: &str = "Training";

const fn phase(phase: StatusPhase) -> Phase {
    match phase {
        StatusPhase::Creating => Phase::Creating,
        StatusPhase::Pending | StatusPhase::NotReady => Phase::Pending,
        StatusPhase::Ready | StatusPhase::Running => Phase::Running,
        StatusPhase::Completed => Phase::Completed,
        StatusPhase::Failed => Phase::Failed,
        StatusPhase::Deleting => Phase::Deleting,
        StatusPhase::Deleted => Phase::Terminating,
    }
}

/// A workload as the list shows it.
fn to_wire(row: WorkloadSummary) -> Workload {
    let since = row
        .status
        .as_ref()
        .map_or(row.created_at, |status| status.updated_at);
    let phase = row
        .status
        .as_ref()
        .map_or(Phase::Creating, |status| phase(status.phase));
    let over = matches!(phase, Phase::Completed | Phase::Failed);
    Workload {
        tenant_id: TENANT_ID,
        id: row.id,
        name: row.name.to_string(),
        kind: TRAINING.to_owned(),
        category: "Train".to_owned(),
        source: Source::ControlPlane,
        submitted_by: row.submitted_by,
        cluster_id: row.cluster_id,
        project_id: row.project_id,
        project_name: row.project_name.to_string(),
        department_id: row.department_id,
        department_name: row.department_name.to_string(),
        namespace: row.namespace,
        priority: None,
        priority_class_name: String::new(),
        created_at: row.created_at,
        updated_at: since,
        deleted_at: None,
        completed_at: over.then_some(since),
        phase,
        phase_message: row.status.map(|status| status.message).unwrap_or_default(),
        phase_updated_at: since,
        k8s_phase: phase.as_str().to_owned(),
        k8s_phase_updated_at: since,
        conditions: Vec::new(),
        running_pods: i32::from(phase == Phase::Running),
        images: vec![row.image],
        actions_support: Some(ActionsSupport {
            delete: true,
            suspend: false,
        }),
    }
}

/// A training as it is shown.
fn training(row: WorkloadRow) -> Result<Training, ApiError> {
    let spec: TrainingSpec = serde_json::from_value(row.request).map_err(ApiError::internal)?;
    let row = row.summary;
    Ok(Training {
        name: row.name.to_string(),
        requested_name: row.name.to_string(),
        workload_id: row.id,
        project_id: row.project_id,
        department_id: row.department_id,
        cluster_id: row.cluster_id,
        created_by: row.submitted_by,
        created_at: row.created_at,
        deleted_at: None,
        desired_phase: DesiredPhase::Running,
        actual_phase: row.status.map_or(Phase::Creating, |status| phase(status.phase)),
        spec,
    })
}

/// The workload of a path, for whoever may read `entity` in its project; to others there is no such `what`.
async fn readable(
    app: &App,
    caller: &Caller,
    segment: &PathId,
    entity: Entity,
    what: &'static str,
) -> Result<WorkloadRow, ApiError> {
    let id: WorkloadId = segment.id(what)?;
    let hidden = || ApiError::not_found(what, id);
    let project = app.store.locate_workload(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow_read(caller, entity, Scope::Project(project), hidden)?;
    app.store.workload(&granted, id).await?.ok_or_else(hidden)
}

/// What the caller asks of what she may see; nothing where she asks for deleted ones, which are not kept.
fn asked(
    app: &App,
    caller: &Caller,
    pairs: &QueryPairs,
) -> Result<Option<(Visible, ListQuery<WorkloadColumn>)>, ApiError> {
    let query = pairs.list()?;
    let visible = app.directory().visible(caller, Entity::Workloads)?;
    Ok((!query.flag("deleted")?).then_some((visible, query)))
}

/// A page of those the caller may see. Trainings are all there are, so their list is the same.
async fn page(app: &App, caller: &Caller, pairs: &QueryPairs) -> Result<Workloads, ApiError> {
    let Some((visible, query)) = asked(app, caller, pairs)? else {
        return Ok(Workloads {
            workloads: Vec::new(),
            next: None,
        });
    };
    let page = app.store.workloads(&visible, &query).await?;
    Ok(Workloads {
        workloads: page.items.into_iter().map(to_wire).collect(),
        next: page.next,
    })
}
