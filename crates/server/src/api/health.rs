//! What operators of the server ask.

pub mod healthz;
pub mod readyz;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::health::HealthOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: HealthOperation) -> MethodRouter<Arc<App>> {
    use HealthOperation as Op;
    let row = operation.row();
    match operation {
        Op::Healthz => to(row, healthz::handle),
        Op::Readyz => to(row, readyz::handle),
    }
}
