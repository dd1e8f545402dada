//! Signing in.

pub mod app;
pub mod grant;
pub mod grant_v2;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::token::TokenOperation;

use crate::app::App;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: TokenOperation) -> MethodRouter<Arc<App>> {
    use TokenOperation as Op;
    let row = operation.row();
    match operation {
        Op::GrantToken => to(row, grant::handle),
        Op::GrantTokenV2 => to(row, grant_v2::handle),
        Op::AppToken => to(row, app::handle),
    }
}
