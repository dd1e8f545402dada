//! Who may call what: the operation table seen through the roles.

use reeve_authz::{Permission as Right, Role};

use crate::operation::{Access, OPERATIONS};
use crate::role::Permission;

/// What a role allows, as the wire shows it.
pub(crate) fn permissions(role: Role) -> Vec<Permission> {
    let shown = |(entity, actions): (reeve_authz::Entity, Vec<reeve_authz::Action>)| Permission {
        resource_type: entity.wire_name().to_owned(),
        display_name: entity.display_name().to_owned(),
        group_id: entity.group_id().to_owned(),
        actions: actions
            .into_iter()
            .map(|action| action.wire_name().to_owned())
            .collect(),
    };
    role.permissions().by_entity().map(shown).collect()
}

/// The rights matrix as text: one line an operation, one column a role. It is committed, and a test compares it, so that
/// nobody gains a right without a reviewer seeing it.
pub fn matrix() -> String {
    let mut text = format!("{:<85}{:<26}", "operation", "needs");
    for role in Role::ALL {
        text.push_str(&format!("{:<22}", role.display_name()));
    }
    for operation in OPERATIONS {
        let call = format!("{} {}", operation.method.as_str(), operation.path);
        let needs = match operation.access {
            Access::Public => "nothing".to_owned(),
            Access::Authenticated => "a valid token".to_owned(),
            Access::Requires(action, entity) => Right::new(action, entity).to_string(),
        };
        text.push_str(&format!("\n{call:<85}{needs:<26}"));
        for role in Role::ALL {
            let may = match operation.access {
                Access::Public | Access::Authenticated => true,
                Access::Requires(action, entity) => role.allows(Right::new(action, entity)),
            };
            text.push_str(&format!("{:<22}", if may { "yes" } else { "-" }));
        }
    }
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
