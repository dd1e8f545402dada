//! `DELETE /api/v1/sessions/{sessionId}` (ours): 204. Its tokens are worth nothing from the next request on; one for a cluster lives
//! on for its five minutes. The user's other sessions go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, SubjectId};
use reeve_types::SessionId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Ends it; a service account's needs the right to change service accounts.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: SessionId = segment.id("session")?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("session", id);
        let (granted, subject, name) = {
            let directory = app.directory();
            let subject = directory.session(id).map(|session| session.subject);
            let (entity, name) = match subject {
                Some(SubjectId::ServiceAccount(id)) => (
                    Entity::ServiceAccount,
                    directory.service_account(id).map(|it| it.name.to_string()),
                ),
                Some(SubjectId::User(id)) => {
                    (Entity::Users, directory.user(id).map(|it| it.email.to_string()))
                }
                None => (Entity::Users, None),
            };
            let granted = directory.allow_hidden(&caller, Action::Update, entity, hidden)?;
            (granted, subject.ok_or_else(hidden)?, name.unwrap_or_default())
        };
        let entry = call.entry(&caller, &granted, AuditAction::SignOut);
        let entry = match subject {
            SubjectId::User(id) => entry.about(id, name),
            SubjectId::ServiceAccount(id) => entry.about(id, name),
        };
        let ended = app.store.end_session(&granted, subject, id, entry).await?;
        Ok(ended.map(|()| StatusCode::NO_CONTENT))
    })
    .await
}
