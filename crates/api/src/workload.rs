//! Workloads of every kind, as lists show them (control-plane 4.5).

use reeve_types::{ClusterId, DepartmentId, ProjectId, Timestamp, WorkloadId};
use serde::{Deserialize, Serialize};

use crate::list::{FieldValue, Listed};

/// Phases of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Accepted, nothing made yet.
    Creating,
    /// Its pod is being set up.
    Initializing,
    /// On its way back.
    Resuming,
    /// Its pod waits.
    Pending,
    /// On its way out.
    Deleting,
    /// Its pod runs.
    Running,
    /// Changing.
    Updating,
    /// Suspended.
    Stopped,
    /// On its way to be.
    Stopping,
    /// Runs badly.
    Degraded,
    /// Ended badly.
    Failed,
    /// Ended well.
    Completed,
    /// Ending.
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// [`crate::TENANT_ID`].
    pub tenant_id: i32,
    /// Its id.
    pub id: WorkloadId,
    /// Its name.
    pub name: String,
    /// `Training`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `Train`.
    pub category: String,
    /// Through which door it came.
    pub source: Source,
    /// Who submitted it.
    #[serde(default)]
    pub submitted_by: String,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its project.
    pub project_name: String,
    /// Its department.
    pub department_id: DepartmentId,
    /// Its department.
    pub department_name: String,
    /// Its namespace.
    pub namespace: String,
    /// Null: priorities are a scheduler's, and none is used.
    pub priority: Option<i32>,
    /// Empty likewise.
    pub priority_class_name: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Null as long as it is wanted.
    pub deleted_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// How it stands.
    pub phase: Phase,
    /// Why.
    #[serde(default)]
    pub phase_message: String,
    /// Since when.
    pub phase_updated_at: Timestamp,
    /// How the cluster calls it.
    pub k8s_phase: String,
    /// Since when.
    pub k8s_phase_updated_at: Timestamp,
    /// Empty: `phaseMessage` says it.
    pub conditions: Vec<Condition>,
    /// How many of its pods run.
    pub running_pods: i32,
    /// What runs.
    #[serde(default)]
    pub images: Vec<String>,
    /// What can be done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_support: Option<ActionsSupport>,
}

/// Through which door a workload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The command line.
    #[serde(rename = "CLI")]
    Cli,
    /// The REST API.
    #[serde(rename = "Control-plane")]
    ControlPlane,
    /// Kubernetes itself.
    Other,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What can be done with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionsSupport {
    /// Delete it.
    pub delete: bool,
    /// Suspend it.
    pub suspend: bool,
}

/// A page of workloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workloads {
    /// Those the caller may see.
    pub workloads: Vec<Workload>,
    /// The offset of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

impl Listed for Workload {
    fn field(&self, name: &str) -> FieldValue<'_> {
        match name {
            "type" => FieldValue::text(&self.kind),
            "name" => FieldValue::text(&self.name),
            "clusterId" => FieldValue::shown(self.cluster_id),
            "projectId" => FieldValue::Number(self.project_id.number()),
            "projectName" => FieldValue::text(&self.project_name),
            "departmentId" => FieldValue::Number(self.department_id.number()),
            "departmentName" => FieldValue::text(&self.department_name),
            "createdAt" => FieldValue::Time(self.created_at),
            "deletedAt" => FieldValue::time(self.deleted_at),
            "submittedBy" => FieldValue::text(&self.submitted_by),
            "phase" => FieldValue::text(self.phase.as_str()),
            "completedAt" => FieldValue::time(self.completed_at),
            "phaseUpdatedAt" => FieldValue::Time(self.phase_updated_at),
            "category" => FieldValue::text(&self.category),
            _ => FieldValue::Nothing,
        }
    }

    fn columns(&self) -> Vec<FieldValue<'_>> {
        [
            "type",
            "name",
            "projectName",
            "departmentName",
            "submittedBy",
            "phase",
        ]
        .map(|name| self.field(name))
        .into()
    }
}
