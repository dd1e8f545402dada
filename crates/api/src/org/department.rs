//! Departments.

use reeve_authz::{Action, Entity};
use reeve_types::{ClusterId, DepartmentId, OrgUnitName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::{
    NodeTypes, OrgUnitSettings, Resources, SchedulingRules, SetResources, TotalResources, with_settings,
};
use crate::body::TypedBody;
use crate::body::fields::{Unsupported, text};
use crate::error::Count;
use crate::operation::{delete, get, may, operations, patch, post, put};
use reeve_types::list::DEPARTMENTS;

operations! {
    /// Operations on departments.
    OPERATIONS: DepartmentOperation as Department, "Departments";
    /// List departments.
    GetDepartments = get("get_departments", "/api/v1/org-unit/departments", may(Action::Read, Entity::Department))
        .lists(&DEPARTMENTS).answers::<Departments>(200);
    /// Create a department.
    CreateDepartment = post("create_department", "/api/v1/org-unit/departments", may(Action::Create, Entity::Department))
        .takes::<CreateDepartment>().answers::<Department>(201).also(&[404, 409]);
    /// Count departments.
    CountDepartments = get("count_departments", "/api/v1/org-unit/departments/count", may(Action::Read, Entity::Department))
        .lists(&DEPARTMENTS).answers::<Count>(200);
    /// Get a department.
    GetDepartment = get("get_department", "/api/v1/org-unit/departments/{departmentId}", may(Action::Read, Entity::Department))
        .answers::<Department>(200);
    /// Replace a department's description, quotas and rules.
    UpdateDepartment = put("update_department", "/api/v1/org-unit/departments/{departmentId}", may(Action::Update, Entity::Department))
        .takes::<UpdateDepartment>().answers::<Department>(200);
    /// Replace a department's quotas.
    SetDepartmentResources = put("update_department_resources", "/api/v1/org-unit/departments/{departmentId}/resources", may(Action::Update, Entity::Department))
        .takes::<SetResources>().answers::<Vec<Resources>>(200);
    /// Set a department's quotas of some node pools; those of others stay.
    PatchDepartmentResources = patch("patch_department_resources", "/api/v1/org-unit/departments/{departmentId}/resources", may(Action::Update, Entity::Department))
        .takes::<SetResources>().answers::<Vec<Resources>>(200);
    /// Delete a department with its projects.
    DeleteDepartment = delete("delete_department", "/api/v1/org-unit/departments/{departmentId}", may(Action::Delete, Entity::Department))
        .answers_nothing(204);
}

with_settings! {
/// `POST /api/v1/org-unit/departments`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "research", "clusterId": crate::EXAMPLE_UUID, "resources": []}))]
pub struct CreateDepartment {
    /// Its name, unique in the cluster; never changes.
    pub name: OrgUnitName,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    #[serde(default)]
    overtime_data: Unsupported,
}
}

impl TypedBody for CreateDepartment {}

with_settings! {
/// `PUT /api/v1/org-unit/departments/{departmentId}`: all that can change of a department. What is left out is given no more; its name and
/// its cluster never change.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"description": "Sees.", "resources": []}))]
pub struct UpdateDepartment {}
}

impl TypedBody for UpdateDepartment {}

/// A department: part of one cluster, with projects in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Department {
    /// A decimal number as a string. It never changes and is given to no other department.
    pub id: DepartmentId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    /// Quotas and rules, as given: stored and shown, not enforced.
    #[serde(flatten)]
    pub settings: OrgUnitSettings,
    /// Sums of `resources` over all node pools.
    pub total_resources: TotalResources,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// Who changed it last: at first, who made it.
    pub updated_by: String,
}

/// A page of departments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Departments {
    /// Those the caller may see.
    pub departments: Vec<Department>,
    /// The `offset` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}
