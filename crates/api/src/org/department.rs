//! Departments.

use reeve_authz::{Action, Entity};
use reeve_types::{ClusterId, DepartmentId, OrgUnitName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::{NodeTypes, OrgUnitSettings, Resources, SchedulingRules, TotalResources};
use crate::body::TypedBody;
use crate::body::fields::{Unsupported, text};
use crate::error::Count;
use crate::operation::{delete, get, may, operations, post};
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
    /// Delete a department with its projects.
    DeleteDepartment = delete("delete_department", "/api/v1/org-unit/departments/{departmentId}", may(Action::Delete, Entity::Department))
        .answers_nothing(204);
}

/// `POST /api/v1/org-unit/departments`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "research", "clusterId": crate::EXAMPLE_UUID, "resources": []}))]
pub struct CreateDepartment {
    /// Its name, unique in the cluster; never changes.
    pub name: OrgUnitName,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    /// For people, at most 1024 bytes.
    #[serde(default, deserialize_with = "text::<_, 1024>")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Limits on time; kept and shown, not enforced yet.
    #[serde(default)]
    pub scheduling_rules: Option<SchedulingRules>,
    /// Names of node pools, in order of preference; kept and shown, not used yet.
    #[serde(default)]
    pub default_node_pools: Option<Vec<String>>,
    /// Kinds of node for each kind of workload; kept and shown, not used yet.
    #[serde(default)]
    pub node_types: Option<NodeTypes>,
    /// Quotas, one for each node pool; kept and shown, not enforced yet. May be empty.
    pub resources: Vec<Resources>,
    #[serde(default)]
    overtime_data: Unsupported,
}

impl TypedBody for CreateDepartment {}

impl CreateDepartment {
    /// Its settings, as they are kept.
    pub fn settings(&self) -> OrgUnitSettings {
        OrgUnitSettings {
            description: self.description.clone().unwrap_or_default(),
            scheduling_rules: self.scheduling_rules.clone(),
            default_node_pools: self.default_node_pools.clone(),
            node_types: self.node_types.clone(),
            resources: self.resources.clone(),
        }
    }
}

/// A department.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    /// The rest, as given.
    #[serde(flatten)]
    pub settings: OrgUnitSettings,
    /// Sums of `resources` over all node pools.
    pub total_resources: TotalResources,
    /// When it was made.
    pub created_at: Timestamp,
    /// Equals `createdAt`: no operation changes a department yet.
    pub updated_at: Timestamp,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// Equals `createdBy`.
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
