//! The documentation of the API. It is the same on every installation of this version, so everybody may read it.

pub mod docs;
pub mod openapi;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::documents::DocumentOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: DocumentOperation) -> MethodRouter<Arc<App>> {
    use DocumentOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetOpenApi => to(row, openapi::handle),
        Op::GetDocs => to(row, docs::handle),
    }
}
