//! `DELETE /api/v1/uids/{uid}` (ours): 204. A uid that was given by mistake is anybody's again. Files that were written under it
//! are not looked for: nobody here knows where they are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, Committed};
use reeve_types::Uid;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Releases it; 409 while somebody has it, a workload runs as it or a Kubernetes token may still name it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let uid: Uid = segment.id("given uid")?;
    app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("given uid", uid);
        let granted = app
            .directory()
            .allow_hidden(&caller, Action::Update, Entity::Users, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::Release);
        // Now, not when the request arrived: she may have lost it while this waited.
        let at = app.clock.now();
        app.store.release_uid(&granted, uid, at, entry).await?;
        Ok(Committed::unchanged(StatusCode::NO_CONTENT))
    })
    .await
}
