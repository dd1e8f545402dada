//! What deleting a department and deleting a project have in common.

use std::sync::Arc;

use axum::http::StatusCode;
use reeve_authz::{Action, Granted, Scope};
use reeve_store::{AuditAction, AuditEntry, Committed, StoreError};
use reeve_types::AccessRuleId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::entity_of;
use crate::error::ApiError;

/// Removes an org unit by `remove`, with all below it: from the next request on it is not there.
pub(super) async fn delete<R>(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    scope: Scope,
    remove: impl FnOnce(Arc<App>, Granted, AuditEntry) -> R + Clone + Send + 'static,
) -> Result<StatusCode, ApiError>
where
    R: Future<Output = Result<Committed<Vec<AccessRuleId>>, StoreError>> + Send,
{
    app.revoke(move |app| async move {
        let hidden = || ApiError::not_found(scope.wire_type(), scope.wire_id());
        let entity = entity_of(scope);
        let granted = app
            .directory()
            .allow(&caller, Action::Delete, entity, scope, entity, hidden)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        let committed = remove(Arc::clone(&app), granted, entry).await?;
        Ok(committed.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
