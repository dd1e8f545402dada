//! `DELETE /api/v1/idps/{idp}`: 200. The sessions that it began are over from the next request on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::IdpAlias;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes it.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let alias: IdpAlias = segment.id("identity provider")?;
    let gone = alias.clone();
    app.revoke(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Delete, Entity::SecuritySettings)?;
        let entry = call.entry(&caller, &granted, AuditAction::Delete);
        Ok(app
            .store
            .delete_identity_provider(&granted, &alias, entry)
            .await?)
    })
    .await?;
    app.providers.forget(&gone);
    Ok(StatusCode::OK)
}
