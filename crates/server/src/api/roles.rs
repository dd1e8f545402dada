//! Roles as version 1 has them, read only.

pub mod get;
pub mod list;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::role::{Role as Shown, RoleOperation};
use reeve_authz::Role;
use reeve_types::Timestamp;

use crate::app::App;
use crate::directory::Directory;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: RoleOperation) -> MethodRouter<Arc<App>> {
    use RoleOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetRoles => to(row, list::handle),
        Op::GetRole => to(row, get::handle),
    }
}

/// A role as it is shown; `since` is when the account was made.
fn shown(directory: &Directory, role: &Role, since: Timestamp) -> Shown {
    let mut shown = Shown::to_wire(role, since);
    if let Some(facts) = directory.custom_role(role.id()) {
        (shown.enabled, shown.effective_enabled) = (facts.enabled, facts.enabled);
        (shown.created_at, shown.updated_at) = (facts.created_at, facts.updated_at);
        shown.created_by.clone_from(&facts.created_by);
    }
    shown
}
