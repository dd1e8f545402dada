//! Workloads of every kind, as lists show them (control-plane 4.5).

use reeve_authz::{Action, Entity};
use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp, WorkloadId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Count;
use crate::operation::{get, may, operations};
use reeve_types::list::WORKLOADS;

operations! {
    /// Operations on workloads of every kind.
    OPERATIONS: WorkloadOperation as Workload, "Workloads";
    /// List workloads.
    GetWorkloads = get("get_workloads", "/api/v1/workloads", may(Action::Read, Entity::Workloads))
        .lists(&WORKLOADS).answers::<Workloads>(200);
    /// Count workloads.
    CountWorkloads = get("count_workloads", "/api/v1/workloads/count", may(Action::Read, Entity::Workloads))
        .lists(&WORKLOADS).answers::<Count>(200);
    /// Get a workload of whatever kind.
    GetWorkload = get("get_workload", "/api/v1/workloads/{workloadId}", may(Action::Read, Entity::Workloads))
        .answers::<Workload>(200);
}

/// Phases of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Accepted, nothing made yet.
    Creating,
    /// Its pod is being set up.
    Initializing,
    /// Suspended before, it is being set up again.
    Resuming,
    /// Its pod waits.
    Pending,
    /// It is being deleted.
    Deleting,
    /// Its pod runs.
    Running,
    /// It is being changed.
    Updating,
    /// It is suspended.
    Stopped,
    /// It is being suspended.
    Stopping,
    /// It runs, and something is wrong.
    Degraded,
    /// It ended with a failure.
    Failed,
    /// It ended with success.
    Completed,
    /// Its pods are ending.
    Terminating,
    /// The cluster has not said.
    Unknown,
}

impl Phase {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Initializing => "Initializing",
            Self::Resuming => "Resuming",
            Self::Pending => "Pending",
            Self::Deleting => "Deleting",
            Self::Running => "Running",
            Self::Updating => "Updating",
            Self::Stopped => "Stopped",
            Self::Stopping => "Stopping",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
            Self::Completed => "Completed",
            Self::Terminating => "Terminating",
            Self::Unknown => "Unknown",
        }
    }
}

/// A workload: the required fields of the reference's `Workload`, and those that have something to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Always 1: an installation is one account.
    pub tenant_id: i32,
    /// A UUID. It never changes and is given to nothing else.
    pub id: WorkloadId,
    /// Its name, unique in the project.
    pub name: String,
    /// Its kind: always `Training` yet.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind's category: always `Train` yet.
    pub category: String,
    /// How it came. Always `Control-plane`: the command line submits through this API too, and the reference demands a
    /// value.
    pub source: Source,
    /// Who submitted it: a user's email or a service account's name.
    #[serde(default)]
    pub submitted_by: String,
    /// The cluster it runs in.
    pub cluster_id: ClusterId,
    /// Its project, by id.
    pub project_id: ProjectId,
    /// Its project, by name.
    pub project_name: String,
    /// Its department, by id.
    pub department_id: DepartmentId,
    /// Its department, by name.
    pub department_name: String,
    /// The namespace it runs in.
    pub namespace: String,
    /// Null: priorities are a scheduler's, and none is used.
    pub priority: Option<i32>,
    /// Empty, for the same reason.
    pub priority_class_name: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When the cluster last reported on it, or it was submitted.
    pub updated_at: Timestamp,
    /// Null: a deleted workload is not shown.
    pub deleted_at: Option<Timestamp>,
    /// When the cluster reported that it ended; null before.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// How it stands, as the cluster last reported.
    pub phase: Phase,
    /// Why, for people; empty when there is nothing to say.
    #[serde(default)]
    pub phase_message: String,
    /// When the cluster reported the phase, or it was submitted.
    pub phase_updated_at: Timestamp,
    /// The same as `phase`: clusters report no word of their own, and the reference demands one.
    pub k8s_phase: String,
    /// The same as `phaseUpdatedAt`.
    pub k8s_phase_updated_at: Timestamp,
    /// Empty: `phaseMessage` says it.
    pub conditions: Vec<Condition>,
    /// 1 while the phase is `Running`, otherwise 0: clusters report the phase, not the pods, of which a training may have several.
    pub running_pods: i32,
    /// The image that runs.
    #[serde(default)]
    pub images: Vec<String>,
    /// What can be done with it by who may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_support: Option<ActionsSupport>,
}

/// How a workload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Source {
    /// By the command line.
    #[serde(rename = "CLI")]
    Cli,
    /// By the REST API, or by what uses it.
    #[serde(rename = "Control-plane")]
    ControlPlane,
    /// Past Reeve: made in Kubernetes by somebody.
    Other,
}

/// A condition of a workload in its cluster, as Kubernetes has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The cause, for people; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What can be done with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionsSupport {
    /// Whether it can be deleted.
    pub delete: bool,
    /// Whether it can be suspended.
    pub suspend: bool,
}

/// A page of workloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workloads {
    /// Those the caller may see.
    pub workloads: Vec<Workload>,
    /// The `offset` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}
