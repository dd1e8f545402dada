//! `POST /api/v1/users/{userId}/logout`: 200. The user's tokens are worth nothing from the next request on; one for a cluster lives on
//! for its five minutes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::UserId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Ends the user's sessions.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<StatusCode, ApiError> {
    let id: UserId = segment.id("user")?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("user", id);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::SignOut);
        let committed = app.store.end_sessions(&granted, id, entry).await?;
        Ok(committed.map(|_| StatusCode::OK))
    })
    .await
}
