//! Departments.

use async_trait::async_trait;
use reeve_authz::{Granted, Visible};
use reeve_types::list::{DepartmentColumn, ListQuery};
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, OrgUnitName, Timestamp};

use crate::{AuditEntry, Committed, Page, StoreError};

/// A department.
#[derive(Debug, Clone, PartialEq)]
pub struct DepartmentRow {
    /// Its number, never given twice.
    pub id: DepartmentId,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its name, unique in the cluster.
    pub name: OrgUnitName,
    /// What people wrote down about it that the server only keeps: description, quotas, scheduling rules.
    pub details: serde_json::Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
    /// By whom.
    pub updated_by: String,
    /// True when whoever asked may see its id and its name only; the rest is empty then, but for dates.
    pub name_only: bool,
}

impl DepartmentRow {
    /// What somebody is shown who sees something in it but not the department itself.
    #[must_use]
    pub fn named(self) -> Self {
        Self {
            details: serde_json::json!({}),
            created_by: String::new(),
            updated_by: String::new(),
            name_only: true,
            ..self
        }
    }
}

/// A department to make.
#[derive(Debug, Clone)]
pub struct NewDepartment {
    /// In which cluster.
    pub cluster_id: ClusterId,
    /// Its name.
    pub name: OrgUnitName,
    /// See [`DepartmentRow::details`].
    pub details: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What people write down about a department.
#[derive(Debug, Clone)]
pub struct SetDepartment {
    /// All of it, in place of what was there: see [`DepartmentRow::details`].
    pub details: serde_json::Value,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Repository of departments.
#[async_trait]
pub trait Departments {
    /// A page of those that may be seen, by number where nothing else is asked for. What lies above something that may be seen
    /// is there with its name alone ([`DepartmentRow::named`]), and what else it holds decides nothing.
    async fn departments(
        &self,
        visible: &Visible,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<Page<DepartmentRow>, StoreError>;

    /// How many the pages of [`Departments::departments`] hold together.
    async fn count_departments(
        &self,
        visible: &Visible,
        query: &ListQuery<DepartmentColumn>,
    ) -> Result<u64, StoreError>;

    /// The name of one alone, of which that may be seen.
    async fn department_name(
        &self,
        visible: &Visible,
        id: DepartmentId,
    ) -> Result<Option<DepartmentRow>, StoreError>;

    /// One. `granted`: read of department there.
    async fn department(
        &self,
        granted: &Granted,
        id: DepartmentId,
    ) -> Result<Option<DepartmentRow>, StoreError>;

    /// Makes one. `granted`: create of department in the cluster.
    async fn create_department(
        &self,
        granted: &Granted,
        new: NewDepartment,
        entry: AuditEntry,
    ) -> Result<Committed<DepartmentRow>, StoreError>;

    /// Replaces what people wrote down about it. The event says before and after. `granted`: update of department there.
    async fn update_department(
        &self,
        granted: &Granted,
        id: DepartmentId,
        new: SetDepartment,
        entry: AuditEntry,
    ) -> Result<Committed<DepartmentRow>, StoreError>;

    /// Removes it with its projects and their workloads, and soft-deletes the rules in it; answers those rules. `granted`:
    /// delete of department there.
    async fn delete_department(
        &self,
        granted: &Granted,
        id: DepartmentId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError>;
}
