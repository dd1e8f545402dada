//! Roles of version 2: the predefined ones, and those that are made here of permission sets. They are made and changed only where the
//! server was started with `--custom-roles`; what there is already stays in force without it, and can be taken away.

pub mod create;
pub mod delete;
pub mod get;
pub mod get_permission_set;
pub mod list;
pub mod list_permission_sets;
pub mod switch;
pub mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::custom_role::{
    CustomRoleOperation, PermissionSet, PermissionSetRef, RolePermission, RoleV2, SetRole,
};
use reeve_api::role::KubernetesPermissions;
use reeve_authz::{CustomRole, Permission, Role, RoleId};
use reeve_store::SetCustomRole;
use reeve_types::{PermissionSetId, Timestamp};

use crate::app::App;
use crate::directory::Directory;
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::extract::PathId;
use crate::handler::to;
use crate::permission_sets::{self, NamedSet};

/// The handler of each operation.
pub(crate) fn route(operation: CustomRoleOperation) -> MethodRouter<Arc<App>> {
    use CustomRoleOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetRoles => to(row, list::handle),
        Op::CreateRole => to(row, create::handle),
        Op::GetRole => to(row, get::handle),
        Op::UpdateRole => to(row, update::handle),
        Op::DeleteRole => to(row, delete::handle),
        Op::EnableRole => to(row, switch::enable),
        Op::DisableRole => to(row, switch::disable),
        Op::GetPermissionSets => to(row, list_permission_sets::handle),
        Op::GetPermissionSet => to(row, get_permission_set::handle),
    }
}

/// Why a role is not made or changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoleRefusal {
    /// 403: the setting is off.
    #[error(
        "custom roles are switched off: who runs the control plane can let them be made and changed (`--custom-roles`)"
    )]
    SwitchedOff,
    /// 403: a predefined role.
    #[error("role `{0}` is predefined: it can be neither changed nor deleted")]
    Predefined(String),
    /// 400: no such rights in clusters.
    #[error("`kubernetesPermissions.predefinedRole`: one of {} is needed, or leave it out", cluster_roles().join(", "))]
    NoClusterRole,
}

impl Refusal for RoleRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::SwitchedOff | Self::Predefined(_) => RefusalKind::Forbidden,
            Self::NoClusterRole => RefusalKind::Invalid,
        }
    }
}

/// The ClusterRoles that a role may have.
fn cluster_roles() -> Vec<&'static str> {
    let mut names: Vec<_> = Role::all_predefined()
        .iter()
        .filter_map(Role::in_clusters)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether roles may be made and changed at all.
fn switched_on(app: &App) -> Result<(), RoleRefusal> {
    app.settings
        .custom_roles
        .then_some(())
        .ok_or(RoleRefusal::SwitchedOff)
}

/// The id of a role that was made here.
fn custom(directory: &Directory, segment: &PathId) -> Result<RoleId, ApiError> {
    let role = RoleId::new(segment.id("role")?).and_then(|id| directory.index().role(id));
    let role = role.ok_or_else(|| ApiError::not_found("role", segment.text()))?;
    if role.is_custom() {
        Ok(role.id())
    } else {
        Err(RoleRefusal::Predefined(role.display_name().to_owned()).into())
    }
}

/// A body as what is kept.
fn wanted(body: SetRole, at: Timestamp, by: String) -> Result<SetCustomRole, ApiError> {
    let permission_sets: Vec<PermissionSetId> = body.permission_sets.iter().map(|it| it.id).collect();
    if let Some(unknown) = permission_sets
        .iter()
        .find(|id| permission_sets::one(**id).is_none())
    {
        return Err(ApiError::not_found("permission set", unknown));
    }
    let named = body.kubernetes_permissions.unwrap_or_default().predefined_role;
    let in_clusters_as = match named {
        None => None,
        Some(name) => Some(
            Role::of_cluster_role(&name)
                .ok_or(RoleRefusal::NoClusterRole)?
                .id(),
        ),
    };
    Ok(SetCustomRole {
        name: body.name,
        description: body.description,
        enabled: body.enabled.unwrap_or(true),
        permission_sets,
        in_clusters_as,
        at,
        by,
    })
}

/// The role as decisions would know it.
fn as_role(id: RoleId, new: &SetCustomRole) -> Result<Role, ApiError> {
    Role::custom(CustomRole {
        id,
        name: new.name.clone(),
        description: new.description.clone(),
        in_clusters_as: new.in_clusters_as,
        permissions: permission_sets::together(&new.permission_sets),
    })
    .map_err(ApiError::internal)
}

/// A role as version 2 shows it; `since` is when the account was made.
fn to_wire(directory: &Directory, role: &Role, since: Timestamp) -> RoleV2 {
    let facts = directory.custom_role(role.id());
    let enabled = facts.is_none_or(|facts| facts.enabled);
    let set = |id: &PermissionSetId| PermissionSetRef {
        id: *id,
        name: permission_sets::one(*id).map(|set| set.name.clone()),
    };
    RoleV2 {
        id: role.id().number(),
        name: role.display_name().to_owned(),
        description: role.description().to_owned(),
        enabled,
        custom: role.is_custom(),
        effective_enabled: enabled,
        deprecated: false,
        created_at: facts.map_or(since, |facts| facts.created_at),
        updated_at: facts.map_or(since, |facts| facts.updated_at),
        created_by: facts.map_or_else(|| "system".to_owned(), |facts| facts.created_by.clone()),
        permission_sets: facts
            .map(|facts| facts.permission_sets.iter().map(set).collect())
            .unwrap_or_default(),
        kubernetes_permissions: KubernetesPermissions {
            predefined_role: role.in_clusters().map(str::to_owned),
        },
        permissions: shown(role.permissions().iter()),
    }
}

fn set_to_wire(set: &NamedSet) -> PermissionSet {
    PermissionSet {
        id: set.id,
        name: set.name.clone(),
        permissions: shown(set.permissions.iter()),
    }
}

fn shown(permissions: impl Iterator<Item = Permission>) -> Vec<RolePermission> {
    let all: reeve_authz::PermissionSet = permissions.collect();
    let of = |(entity, actions): (reeve_authz::Entity, Vec<reeve_authz::Action>)| RolePermission {
        resource_type: entity.wire_name().to_owned(),
        actions: actions
            .into_iter()
            .map(|action| action.wire_name().to_owned())
            .collect(),
    };
    all.by_entity().map(of).collect()
}
