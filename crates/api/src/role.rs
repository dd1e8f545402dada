//! Roles, read only (control-plane 2.3 and 4.2): `RoleV1`.

use reeve_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its number.
    pub id: i64,
    /// Its name, by which clients look it up, case and all.
    pub name: String,
    /// For people.
    pub description: String,
    /// When it came to be: with the account.
    pub created_at: Timestamp,
    /// Equals `createdAt`.
    pub updated_at: Timestamp,
    /// Null.
    pub deleted_at: Option<Timestamp>,
    /// `system`.
    pub created_by: String,
    /// Whether it was made here; false for the predefined ones.
    pub custom: bool,
    /// True.
    pub enabled: bool,
    /// True.
    pub effective_enabled: bool,
    /// What it allows, without the resource types that the document of version 1 does not have.
    pub permissions: Vec<Permission>,
    /// What its subjects are bound to in the namespaces of projects.
    pub kubernetes_permissions: KubernetesPermissions,
}

/// What a role allows with one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The type, as in control-plane 2.2.
    pub resource_type: String,
    /// For people.
    pub display_name: String,
    /// Where a console shows it.
    pub group_id: String,
    /// `create`, `read`, `update`, `delete`.
    pub actions: Vec<String>,
}

/// The Kubernetes side of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesPermissions {
    /// The last part of the ClusterRole's name, which is that of a role; null where the role gives nothing in a cluster.
    pub predefined_role: Option<String>,
}

impl Role {
    /// A role as it is shown. `since` is when the account was made.
    pub fn shown(role: &reeve_authz::Role, since: Timestamp) -> Self {
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
