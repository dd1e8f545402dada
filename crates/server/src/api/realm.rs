//! The realm's public documents: how API servers come to trust our tokens (control-plane 1.2).

pub mod discovery;
pub mod jwks;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::realm::RealmOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: RealmOperation) -> MethodRouter<Arc<App>> {
    use RealmOperation as Op;
    let row = operation.row();
    match operation {
        Op::Discovery => to(row, discovery::handle),
        Op::Jwks => to(row, jwks::handle),
    }
}
