//! `DELETE /api/v1/users/{userId}/authenticator` (ours): 204. For an authenticator that is lost together with its recovery codes: the
//! password alone signs in then. Sessions go on.

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

/// Removes a user's authenticator.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: UserId = segment.id("user")?;
    app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry
            .metadata
            .insert("authenticator".to_owned(), "removed".to_owned());
        let removed = app.store.remove_authenticator(&granted, id, entry).await?;
        Ok(removed.map(|()| StatusCode::NO_CONTENT))
    })
    .await
}
