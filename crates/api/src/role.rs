//! Roles as version 1 shows them, read only (control-plane 2.3 and 4.2): `RoleV1`.

use reeve_authz::{Action, Entity};
use reeve_types::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::{get, may, operations};

operations! {
    /// Operations on roles.
    OPERATIONS: RoleOperation as Role, "Roles";
    /// List roles.
    GetRoles = get("get_roles_v1", "/api/v1/authorization/roles", may(Action::Read, Entity::Roles))
        .asks(&[]).answers::<Vec<Role>>(200);
    /// Get a role.
    GetRole = get("get_role_v1", "/api/v1/authorization/roles/{roleIdPath}", may(Action::Read, Entity::Roles))
        .answers::<Role>(200);
}

/// A role: the permissions that an access rule gives at its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// The number that access rules name it by; that of a predefined role is the same in every installation.
    pub id: i64,
    /// Its name, by which clients look it up, case and all.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// When it came to be: a predefined one with the account.
    pub created_at: Timestamp,
    /// When it was last changed: predefined roles never.
    pub updated_at: Timestamp,
    /// Null: a role that was deleted is not shown.
    pub deleted_at: Option<Timestamp>,
    /// Who made it; `system` for the predefined ones.
    pub created_by: String,
    /// Whether it was made here; false for the predefined ones.
    pub custom: bool,
    /// Whether it may be given; predefined roles always may.
    pub enabled: bool,
    /// The same as `enabled`.
    pub effective_enabled: bool,
    /// What it allows, without the resource types that the document of version 1 does not have.
    pub permissions: Vec<Permission>,
    /// What its subjects are bound to in the namespaces of projects.
    pub kubernetes_permissions: KubernetesPermissions,
}

/// What a role allows with one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The type of resource, in the reference's spelling.
    pub resource_type: String,
    /// What a console calls it.
    pub display_name: String,
    /// The group under which a console shows it.
    pub group_id: String,
    /// Some of `create`, `read`, `update`, `delete`.
    pub actions: Vec<String>,
}

/// The Kubernetes side of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesPermissions {
    /// The last part of the ClusterRole's name, which is that of a role; null where the role gives nothing in a cluster.
    pub predefined_role: Option<String>,
}

impl Role {
    /// A role as it is shown. `since` is when the account was made.
    pub fn to_wire(role: &reeve_authz::Role, since: Timestamp) -> Self {
        Self {
            id: role.id().number(),
            name: role.display_name().to_owned(),
            description: role.description().to_owned(),
            created_at: since,
            updated_at: since,
            deleted_at: None,
            created_by: "system".to_owned(),
            custom: role.is_custom(),
            enabled: true,
            effective_enabled: true,
            permissions: crate::rights::permissions(role),
            kubernetes_permissions: KubernetesPermissions {
                predefined_role: role.in_clusters().map(str::to_owned),
            },
        }
    }
}
