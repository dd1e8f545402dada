//! What deletions have in common: the permission, who is told that there is no such thing, the event, and the way past a full disk.

use std::fmt::Display;
use std::sync::Arc;

use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Granted, Scope};
use reeve_store::{AuditAction, AuditEntry, Committed, StoreError};
use reeve_types::AccessRuleId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::entity_of;
use crate::error::ApiError;

/// What the store answers of a deletion: the rules that went along.
type Removed = Result<Committed<Vec<AccessRuleId>>, StoreError>;

/// Removes a cluster, department or project by `remove`, with all below it: from the next request on it is not there.
pub(super) async fn of_scope<R>(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    scope: Scope,
    remove: impl FnOnce(Arc<App>, Granted, AuditEntry) -> R + Clone + Send + 'static,
) -> Result<StatusCode, ApiError>
where
    R: Future<Output = Removed> + Send,
{
    app.revoke(caller.asker(), move |app| async move {
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

/// Removes something that belongs to the account by `remove`, with its rules; messages call it `what`.
pub(super) async fn of_account<R>(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    entity: Entity,
    (what, id): (&'static str, impl Display + Clone + Send + 'static),
    remove: impl FnOnce(Arc<App>, Granted, AuditEntry) -> R + Clone + Send + 'static,
) -> Result<StatusCode, ApiError>
where
    R: Future<Output = Removed> + Send,
{
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found(what, &id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Delete, entity, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::Delete);
        let committed = remove(Arc::clone(&app), granted, entry).await?;
        Ok(committed.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
