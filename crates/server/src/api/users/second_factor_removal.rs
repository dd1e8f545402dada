//! What taking a user's second factors away has in common, whichever they are: the permission, who is told that there is no such user, the
//! event, and the way past a full disk. They are credentials, and somebody else may have them.

use std::sync::Arc;

use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Granted};
use reeve_store::{AuditAction, AuditEntry, Committed, StoreError};
use reeve_types::UserId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;

/// Takes a second factor of user `id` away by `remove`: 204. The event has it as `what`.
///
/// # Errors
/// 403 and 404 as for every change of a user; those of `remove`.
pub(super) async fn of_user<T, R>(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    id: UserId,
    what: &'static str,
    remove: impl FnOnce(Arc<App>, Granted, AuditEntry) -> R + Clone + Send + 'static,
) -> Result<StatusCode, ApiError>
where
    R: Future<Output = Result<Committed<T>, StoreError>> + Send,
{
    let asker = caller.asker();
    let removal = move |app: Arc<App>| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.metadata.insert(what.to_owned(), "removed".to_owned());
        let removed = remove(Arc::clone(&app), granted, entry).await?;
        Ok(removed.map(|_| StatusCode::NO_CONTENT))
    };
    app.revoke(asker, removal).await
}
