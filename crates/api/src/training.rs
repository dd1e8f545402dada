//! Trainings: batch jobs (control-plane 4.5).

mod create;
mod spec;

use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp, WorkloadId};
use serde::{Deserialize, Serialize};

use crate::workload::Phase;
pub use create::CreateTraining;
pub use spec::{Compute, EnvironmentVariable, Security, TrainingSpec, UidGidSource};

/// A training: `Training1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Training {
    /// Its name.
    pub name: String,
    /// The name that was asked for.
    pub requested_name: String,
    /// Its id.
    pub workload_id: WorkloadId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its department.
    pub department_id: DepartmentId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Who submitted it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Null as long as it is wanted.
    pub deleted_at: Option<Timestamp>,
    /// What is wanted.
    pub desired_phase: DesiredPhase,
    /// What is.
    pub actual_phase: Phase,
    /// What runs.
    pub spec: TrainingSpec,
}

/// What is wanted of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DesiredPhase {
    /// To run.
    Running,
    /// To wait.
    Stopped,
    /// To be gone.
    Deleted,
}
