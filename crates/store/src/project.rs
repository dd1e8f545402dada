//! Projects.

use async_trait::async_trait;
use reeve_authz::{Granted, Visible};
use reeve_types::list::{ListQuery, ProjectColumn};
use reeve_types::{
    AccessRuleId, ClusterId, DepartmentId, OrgUnitName, PodRules, ProjectId, Timestamp, WorkloadLimits,
};

use crate::{AuditEntry, Committed, Page, StatusRow, StoreError};

/// A project.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectRow {
    /// Its number, never given twice.
    pub id: ProjectId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its department.
    pub department_id: DepartmentId,
    /// Its department's name.
    pub department_name: OrgUnitName,
    /// Its name, unique in the cluster.
    pub name: OrgUnitName,
    /// Its namespace, unique in the cluster.
    pub namespace: String,
    /// True when the namespace was asked for by name.
    pub namespace_requested: bool,
    /// What people wrote down about it that the server only keeps.
    pub details: serde_json::Value,
    /// Whether its people may write Ingresses and NetworkPolicies (R24); `None` until somebody decided it here.
    pub allow_networking: Option<bool>,
    /// What its pods may do.
    pub pod_rules: PodRules,
    /// What workload policies of its scope and above come to here.
    pub workload_limits: WorkloadLimits,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
    /// How it stands in its cluster; absent until the operator said so.
    pub status: Option<StatusRow>,
}

/// A project to make.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// In which department.
    pub department_id: DepartmentId,
    /// Its name.
    pub name: OrgUnitName,
    /// Its namespace.
    pub namespace: String,
    /// True when the namespace was asked for by name.
    pub namespace_requested: bool,
    /// True when its maker may open what another department left in the namespace: she holds create of project in the
    /// whole cluster.
    pub may_take_over: bool,
    /// See [`ProjectRow::details`].
    pub details: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What people write down about a project.
#[derive(Debug, Clone)]
pub struct SetProject {
    /// All of it, in place of what was there: see [`ProjectRow::details`].
    pub details: serde_json::Value,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Whether a project's people may write Ingresses and NetworkPolicies.
#[derive(Debug, Clone)]
pub struct SetNetworking {
    /// Whether they may.
    pub allowed: bool,
    /// When it is decided.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// What a project's pods may do.
#[derive(Debug, Clone)]
pub struct SetPodRules {
    /// All of it, in place of what was decided before.
    pub rules: PodRules,
    /// When it is decided.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Repository of projects.
#[async_trait]
pub trait Projects {
    /// A page of those that may be seen, by number where nothing else is asked for.
    async fn projects(
        &self,
        visible: &Visible,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<Page<ProjectRow>, StoreError>;

    /// How many the pages of [`Projects::projects`] hold together.
    async fn count_projects(
        &self,
        visible: &Visible,
        query: &ListQuery<ProjectColumn>,
    ) -> Result<u64, StoreError>;

    /// One. `granted`: read of project there.
    async fn project(&self, granted: &Granted, id: ProjectId) -> Result<Option<ProjectRow>, StoreError>;

    /// Makes one. `granted`: create of project in the department.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name or a namespace that is taken, [`StoreError::NamespaceOfOthers`] for a namespace
    /// whose last project was another department's, unless [`NewProject::may_take_over`].
    async fn create_project(
        &self,
        granted: &Granted,
        new: NewProject,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError>;

    /// Replaces what people wrote down about it. The event says before and after; clusters are told nothing, since they know none of it.
    /// `granted`: update of project there.
    async fn update_project(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetProject,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError>;

    /// Decides whether its people may write Ingresses and NetworkPolicies. The event says before and after. `granted`: update of
    /// project in its whole cluster: an Ingress takes a name of the cluster, not of the project.
    async fn set_project_networking(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetNetworking,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError>;

    /// Decides what its pods may do. The event says before and after. `granted`: update of project in its whole cluster: nodes and
    /// priorities are not the project's own.
    async fn set_project_pod_rules(
        &self,
        granted: &Granted,
        id: ProjectId,
        new: SetPodRules,
        entry: AuditEntry,
    ) -> Result<Committed<ProjectRow>, StoreError>;

    /// Removes it and its workloads, and soft-deletes the rules in it; answers those rules. `granted`: delete of project
    /// there.
    async fn delete_project(
        &self,
        granted: &Granted,
        id: ProjectId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError>;
}
