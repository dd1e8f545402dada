//! `GET /api/v1/authorization/permissions`: the caller's, in whatever scope.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::rights;
use reeve_api::role::Permission;

use crate::app::App;
use crate::caller::Caller;

/// By every rule that reaches the caller. Resource types that version 1 of the reference does not have are left out, as in roles:
/// its client refuses a name that it does not know.
pub async fn handle(State(app): State<Arc<App>>, caller: Caller) -> Json<Vec<Permission>> {
    let held = app.directory().index().held_anywhere(&caller.principal);
    Json(rights::shown(held))
}
