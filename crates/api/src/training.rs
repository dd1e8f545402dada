//! Trainings: batch jobs (control-plane 4.5).

mod create;
mod metadata;
mod placement;
mod probes;
mod spec;
mod storage;

use reeve_authz::{Action, Entity};
use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp, WorkloadId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Accepted;
use crate::operation::{delete, get, may, operations, post};
use crate::workload::{Phase, Workloads};
pub use create::CreateTraining;
pub use metadata::{Annotation, Label};
pub use probes::{HttpGet, Probe, ProbeHandler, ProbeScheme, Probes};
use reeve_types::list::WORKLOADS;
pub use spec::{Compute, EnvironmentVariable, SecretVolume, Security, Storage, TrainingSpec, UidGidSource};

operations! {
    /// Operations on trainings.
    OPERATIONS: TrainingOperation as Training, "Trainings";
    /// List trainings.
    GetTrainings = get("get_trainings", "/api/v1/workloads/trainings", may(Action::Read, Entity::Workloads))
        .lists(&WORKLOADS).answers::<Workloads>(200);
    /// Submit a training.
    CreateTraining = post("create_training1", "/api/v1/workloads/trainings", may(Action::Create, Entity::Trainings))
        .takes::<CreateTraining>().answers::<Training>(202).also(&[404, 409]);
    /// Get a training.
    GetTraining = get("get_training", "/api/v1/workloads/trainings/{workloadId}", may(Action::Read, Entity::Trainings))
        .answers::<Training>(200);
    /// Delete a training.
    DeleteTraining = delete("delete_training", "/api/v1/workloads/trainings/{workloadId}", may(Action::Delete, Entity::Trainings))
        .answers::<Accepted>(202);
}

/// A training: `Training1` of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    /// Its name, unique in the project.
    pub name: String,
    /// The name that was asked for: the same.
    pub requested_name: String,
    /// A UUID. It never changes and is given to nothing else. The same as the `id` of the list of workloads.
    pub workload_id: WorkloadId,
    /// The project it is in.
    pub project_id: ProjectId,
    /// The department of its project.
    pub department_id: DepartmentId,
    /// The cluster it runs in.
    pub cluster_id: ClusterId,
    /// Who submitted it: a user's email or a service account's name.
    pub created_by: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// Null: a deleted training is not shown.
    pub deleted_at: Option<Timestamp>,
    /// What is wanted of it: always `Running` yet.
    pub desired_phase: DesiredPhase,
    /// How it stands, as the cluster last reported.
    pub actual_phase: Phase,
    /// What runs, as it was submitted.
    pub spec: TrainingSpec,
}

/// What is wanted of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DesiredPhase {
    /// It is to run.
    Running,
    /// It is to wait.
    Stopped,
    /// It is to be gone.
    Deleted,
}

/// The `spec` that comes of a submission with this and an image, or what is said against it.
#[cfg(test)]
fn parsed_spec(mut spec: serde_json::Value) -> Result<TrainingSpec, String> {
    use crate::Body as _;
    spec["image"] = "x".into();
    let body =
        serde_json::json!({"name": "t", "projectId": "33", "clusterId": crate::EXAMPLE_UUID, "spec": spec});
    let parsed = CreateTraining::parse(body.to_string().as_bytes());
    parsed.map(|body| body.spec).map_err(|error| error.to_string())
}
