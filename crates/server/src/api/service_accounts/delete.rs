//! `DELETE /api/v1/service-accounts/{serviceAccountId}`: 204. Its tokens are worth nothing from the next
//! request on, and its rules go with it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::ServiceAccountId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::Segment;

/// Removes a service account.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: Segment,
) -> Result<StatusCode, ApiError> {
    let id: ServiceAccountId = segment.id("service account")?;
    app.revoke(move |app| async move {
        let hidden = || ApiError::not_found("service account", id);
        let granted =
            app.directory()
                .allow_hidden(&caller, Action::Delete, Entity::ServiceAccount, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::Delete);
        let committed = app
            .store
            .delete_service_account(&granted, id, call.at, entry)
            .await?;
        Ok(committed.map(|_| StatusCode::NO_CONTENT))
    })
    .await
}
