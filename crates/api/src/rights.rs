//! Who may call what: the operation table seen through the roles.

use reeve_authz::{Action, Entity, Permission as Right, PermissionSet, Role};

use crate::operation::{Access, OPERATIONS};
use crate::role::Permission;

/// What a role allows, as version 1 shows it.
pub(crate) fn permissions(role: &Role) -> Vec<Permission> {
    shown(role.permissions())
}

/// A set of permissions, as version 1 shows it.
pub fn shown(permissions: PermissionSet) -> Vec<Permission> {
    let shown = |(entity, actions): (Entity, Vec<Action>)| Permission {
        resource_type: entity.wire_name().to_owned(),
        display_name: entity.display_name().to_owned(),
        group_id: entity.group_id().to_owned(),
        actions: actions
            .into_iter()
            .map(|action| action.wire_name().to_owned())
            .collect(),
    };
    let in_version_1 = |(entity, _): &(Entity, Vec<Action>)| entity.since().is_none();
    permissions.by_entity().filter(in_version_1).map(shown).collect()
}

/// The rights matrix as text: one line an operation, one column a role, by its code. It is committed, and a test compares it,
/// so that nobody gains a right without a reviewer seeing it.
pub fn matrix() -> String {
    let roles = Role::all_predefined();
    let legend = roles.iter().map(|role| format!("{}  {role}\n", role.code()));
    let mut text = legend.collect::<String>();
    text.push_str(&format!("\n{:<85}{:<26}", "operation", "needs"));
    for role in roles {
        text.push_str(&format!("{:<4}", role.code()));
    }
    for operation in OPERATIONS {
        let call = format!("{} {}", operation.method.as_str(), operation.path);
        let needs = match operation.access {
            Access::Public => "nothing".to_owned(),
            Access::Authenticated => "a valid token".to_owned(),
            Access::Requires(action, entity) => Right::new(action, entity).to_string(),
        };
        text.push_str(&format!("\n{call:<85}{needs:<26}"));
        for role in roles {
            let may = match operation.access {
                Access::Public | Access::Authenticated => true,
                Access::Requires(action, entity) => role.allows(Right::new(action, entity)),
            };
            text.push_str(&format!("{:<4}", if may { "yes" } else { "-" }));
        }
    }
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
