//! What departments and projects have in common (control-plane 4.2).

pub mod priorities;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::org::OrgUnitOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: OrgUnitOperation) -> MethodRouter<Arc<App>> {
    use OrgUnitOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetPriorities => to(row, priorities::handle),
    }
}
