//! `DELETE /api/v1/access-keys/{accessKeyId}`: 204. Its tokens are worth nothing from the next request on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_store::AuditAction;
use reeve_types::AccessKeyId;

use super::{event, owner};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes an access key of the caller's.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: AccessKeyId = segment.id("access key")?;
    let user = owner(&caller)?;
    app.revoke(caller.asker(), move |app| async move {
        let granted = crate::audit::own_access_key();
        // Now, not when the request arrived: a session may have begun while it waited for its turn.
        let mut entry = event(&call, &caller, AuditAction::Delete);
        entry.timestamp = app.clock.now();
        let deleted = app.store.delete_access_key(&granted, user, id, entry).await;
        Ok(deleted?.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
