//! `DELETE /api/v1/administration/access-keys/{accessKeyId}`: 204. Its tokens are worth nothing from the next request on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::AccessKeyId;

use super::not_found;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes anybody's access key.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: AccessKeyId = segment.id("access key")?;
    app.revoke(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Delete, Entity::AccessKeys, || not_found(id))?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.timestamp = app.clock.now();
        let deleted = app.store.delete_anybodys_access_key(&granted, id, entry).await;
        Ok(deleted?.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
