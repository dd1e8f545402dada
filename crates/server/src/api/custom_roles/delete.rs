//! `DELETE /api/v2/authorization/roles/{roleIdPath}`: 204; 409 while access rules give it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;

use super::custom;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a role.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id = custom(&app.directory(), &segment)?;
    app.revoke(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Delete, Entity::Roles)?;
        let entry = call.entry(&caller, &granted, AuditAction::Delete);
        let committed = app.store.delete_custom_role(&granted, id, call.at, entry).await?;
        Ok(committed.map(|()| StatusCode::NO_CONTENT))
    })
    .await
}
