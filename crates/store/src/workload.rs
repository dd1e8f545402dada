//! Workloads.

use async_trait::async_trait;
use reeve_authz::{Granted, Visible};
use reeve_types::list::{ListQuery, WorkloadColumn};
use reeve_types::{ClusterId, DepartmentId, OrgUnitName, ProjectId, Timestamp, WorkloadId, WorkloadName};

use crate::{AuditEntry, Committed, Page, StatusRow, StoreError};

/// A workload, without what was asked for: as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadSummary {
    /// Its id.
    pub id: WorkloadId,
    /// Its name, unique in the project.
    pub name: WorkloadName,
    /// Its project.
    pub project_id: ProjectId,
    /// Its project's name.
    pub project_name: OrgUnitName,
    /// Its project's namespace.
    pub namespace: String,
    /// Its department.
    pub department_id: DepartmentId,
    /// Its department's name.
    pub department_name: OrgUnitName,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// The email or service account name that asked.
    pub submitted_by: String,
    /// The image that runs.
    pub image: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How it stands; absent until the operator said so.
    pub status: Option<StatusRow>,
}

/// A workload.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadRow {
    /// All but what was asked for.
    pub summary: WorkloadSummary,
    /// What was asked for, as it came.
    pub request: serde_json::Value,
}

/// A workload to make.
#[derive(Debug, Clone)]
pub struct NewWorkload {
    /// What is to run, with id, name, project, submitter and verified identity.
    pub desired: reeve_link::Workload,
    /// What was asked for, to be shown again.
    pub request: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
    /// How many workloads its project may have, this one included.
    pub most_in_project: u32,
}

/// Repository of workloads. The entity of every `granted` here is trainings: the only kind there is yet.
#[async_trait]
pub trait Workloads {
    /// A page of those in projects that may be seen, without what was asked for; oldest first where nothing else is asked
    /// for.
    async fn workloads(
        &self,
        visible: &Visible,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<Page<WorkloadSummary>, StoreError>;

    /// How many the pages of [`Workloads::workloads`] hold together.
    async fn count_workloads(
        &self,
        visible: &Visible,
        query: &ListQuery<WorkloadColumn>,
    ) -> Result<u64, StoreError>;

    /// One. `granted`: read of trainings or workloads in its project.
    async fn workload(&self, granted: &Granted, id: WorkloadId) -> Result<Option<WorkloadRow>, StoreError>;

    /// Makes one. `granted`: create of trainings in its project.
    ///
    /// # Errors
    /// [`StoreError::ProjectFull`] when the project has as many as it may.
    async fn create_workload(
        &self,
        granted: &Granted,
        new: NewWorkload,
        entry: AuditEntry,
    ) -> Result<Committed<WorkloadRow>, StoreError>;

    /// Removes one; its name is free at once. `granted`: delete of trainings in its project.
    async fn delete_workload(
        &self,
        granted: &Granted,
        id: WorkloadId,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
