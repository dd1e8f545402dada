//! `POST /api/v1/me/logout` (ours): 200. The token that was shown and every other one of its session are worth nothing from the next
//! request on; the caller's other sessions go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_store::{AuditAction, SubjectId};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::NoBody;

/// Ends the session.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    NoBody: NoBody,
) -> Result<StatusCode, ApiError> {
    app.revoke(caller.asker(), move |app| async move {
        // Nobody needs a right to sign out.
        let granted = crate::audit::session_record();
        let entry = call.by(&caller, AuditAction::SignOut, "users");
        let entry = match caller.id {
            SubjectId::User(id) => entry.about(id, &caller.name),
            SubjectId::ServiceAccount(id) => entry.about(id, &caller.name),
        };
        let ended = app
            .store
            .end_session(&granted, caller.id, caller.session, entry)
            .await?;
        Ok(ended.map(|()| StatusCode::OK))
    })
    .await
}
