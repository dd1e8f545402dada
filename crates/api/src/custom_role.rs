//! Roles of version 2, and the permission sets that they are made of (control-plane 2.6).

use reeve_authz::{Action, Entity};
use reeve_types::list::ROLES;
use reeve_types::{PermissionSetId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::fields::filled;
use crate::body::{InvalidBody, TypedBody};
use crate::operation::{delete, get, may, operations, post, put};
use crate::role::KubernetesPermissions;

/// How many permission sets a role is made of at most.
const MOST_SETS: usize = 100;

operations! {
    /// Operations on roles of version 2, and on permission sets.
    OPERATIONS: CustomRoleOperation as CustomRole, "Roles";
    /// List roles: the predefined ones, then those that were made here.
    GetRoles = get("get_roles", "/api/v2/authorization/roles", may(Action::Read, Entity::Roles))
        .lists(&ROLES).answers::<RolesV2>(200);
    /// Make a role of permission sets, where the server was started with `--custom-roles`.
    CreateRole = post("create_role", "/api/v2/authorization/roles", may(Action::Create, Entity::Roles))
        .takes::<SetRole>().answers::<RoleV2>(201).also(&[404, 409]);
    /// Get a role.
    GetRole = get("get_role", "/api/v2/authorization/roles/{roleIdPath}", may(Action::Read, Entity::Roles))
        .answers::<RoleV2>(200);
    /// Change a role that was made here, as a whole.
    UpdateRole = put("update_role", "/api/v2/authorization/roles/{roleIdPath}", may(Action::Update, Entity::Roles))
        .takes::<SetRole>().answers::<RoleV2>(200).also(&[409]);
    /// Delete a role that was made here and that no access rule gives.
    DeleteRole = delete("delete_role", "/api/v2/authorization/roles/{roleIdPath}", may(Action::Delete, Entity::Roles))
        .answers_nothing(204).also(&[409]);
    /// Let a role be given.
    EnableRole = post("enable_role", "/api/v2/authorization/roles/{roleIdPath}/enable", may(Action::Update, Entity::Roles))
        .answers_nothing(204).also(&[409]);
    /// Let a role be given no more; none that an access rule gives.
    DisableRole = post("disable_role", "/api/v2/authorization/roles/{roleIdPath}/disable", may(Action::Update, Entity::Roles))
        .answers_nothing(204).also(&[409]);
    /// List the permission sets that roles are made of.
    GetPermissionSets = get("get_permission_sets", "/api/v1/authorization/permission-sets", may(Action::Read, Entity::Roles))
        .asks(&[]).answers::<PermissionSets>(200);
    /// Get a permission set.
    GetPermissionSet = get("get_permission_set", "/api/v1/authorization/permission-sets/{permissionSetId}", may(Action::Read, Entity::Roles))
        .answers::<PermissionSet>(200);
}

/// `POST /api/v2/authorization/roles`, and `PUT` of one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "name": "Reader of projects", "description": "Sees projects.", "enabled": true,
    "permissionSets": [{"id": "123e4567-e89b-12d3-a456-426614174000", "name": "Projects viewer"}],
    "kubernetesPermissions": {"predefinedRole": "viewer"}
}))]
pub struct SetRole {
    /// Its name, unique among all roles without regard to case, at most 255 bytes, without spaces around it.
    #[serde(deserialize_with = "filled::<_, 255>")]
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// What it is for, at most 1000 bytes.
    #[serde(deserialize_with = "filled::<_, 1000>")]
    #[schemars(length(min = 1, max = 1000))]
    pub description: String,
    /// Whether it may be given; true where it is absent.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// The permission sets that it is made of, from 1 to 100.
    #[schemars(length(min = 1, max = 100))]
    pub permission_sets: Vec<PermissionSetRef>,
    /// What its subjects are bound to in the namespaces of projects; absent for nothing.
    #[serde(default)]
    pub kubernetes_permissions: Option<SetKubernetesPermissions>,
}

/// The Kubernetes side of a role to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetKubernetesPermissions {
    /// The ClusterRole of a predefined role, as `l1-researcher`; absent for none.
    #[serde(default)]
    pub predefined_role: Option<String>,
}

/// A permission set by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionSetRef {
    /// The id of the permission set.
    pub id: PermissionSetId,
    /// Its name; what a request says here is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl TypedBody for SetRole {
    fn check(&self) -> Result<(), InvalidBody> {
        if self.name.trim() != self.name {
            return Err(InvalidBody::wrong("name", "spaces around it are not possible"));
        }
        let mut seen = std::collections::BTreeSet::new();
        let twice = self.permission_sets.iter().any(|it| !seen.insert(it.id));
        if twice || self.permission_sets.is_empty() || self.permission_sets.len() > MOST_SETS {
            return Err(InvalidBody::wrong(
                "permissionSets",
                "from 1 to 100 permission sets are needed, each once",
            ));
        }
        Ok(())
    }
}

/// A page of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolesV2 {
    /// The roles of this page.
    pub roles: Vec<RoleV2>,
    /// The `offset` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

/// A role as version 2 shows it: with every resource type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleV2 {
    /// The number that access rules name it by.
    pub id: i64,
    /// The name of the role, unique in the account.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it may be given; predefined roles always may.
    pub enabled: bool,
    /// Whether it was made here.
    pub custom: bool,
    /// The same as `enabled`: nothing else switches a role off.
    pub effective_enabled: bool,
    /// Always false: no role is on its way out.
    pub deprecated: bool,
    /// When it was made; of a predefined role, when the account was.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it; `system` for the predefined ones.
    pub created_by: String,
    /// The permission sets that it was made of; none of a predefined role.
    pub permission_sets: Vec<PermissionSetRef>,
    /// What its subjects are bound to in the namespaces of projects.
    pub kubernetes_permissions: KubernetesPermissions,
    /// What it allows.
    pub permissions: Vec<RolePermission>,
}

/// What a role allows with one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolePermission {
    /// The type of resource, in the reference's spelling.
    pub resource_type: String,
    /// Some of `create`, `read`, `update`, `delete`.
    pub actions: Vec<String>,
}

/// All permission sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionSets {
    /// By resource type, viewers before administrators.
    pub permission_sets: Vec<PermissionSet>,
}

/// Some permissions with a name: what roles are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionSet {
    /// Its id: the same in every installation.
    pub id: PermissionSetId,
    /// Its name, as `Projects viewer`.
    pub name: String,
    /// What it allows.
    pub permissions: Vec<RolePermission>,
}
