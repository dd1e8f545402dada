//! `DELETE /api/v1/users/{userId}/passkeys` (ours): 204. For passkeys that are lost, and for ones that somebody else may have: the password
//! signs in without them then, with the code of an authenticator where there is one. Sessions go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::UserId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes all of a user's passkeys.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: UserId = segment.id("user")?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.metadata.insert("passkey".to_owned(), "removed".to_owned());
        let removed = app.store.remove_passkeys(&granted, id, entry).await?;
        Ok(removed.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
