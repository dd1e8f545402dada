//! Roles: predefined, read only.

pub mod get;
pub mod list;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::role::RoleOperation;

use crate::app::App;
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
