//! `PATCH /api/v1/service-accounts/{serviceAccountId}`: 200. Disabled, its tokens are worth nothing from the next request on,
//! also when it is enabled again, and its rules are in no cluster.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::service_account::UpdateServiceAccount;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::ServiceAccountId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Switches it on or off.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<UpdateServiceAccount>,
) -> Result<StatusCode, ApiError> {
    let id: ServiceAccountId = segment.id("service account")?;
    let (enabled, asker) = (body.enabled, caller.asker());
    let work = move |app: Arc<App>| async move {
        let hidden = || ApiError::not_found("service account", id);
        let granted =
            app.directory()
                .allow_hidden(&caller, Action::Update, Entity::ServiceAccount, hidden)?;
        let action = if enabled {
            AuditAction::Enable
        } else {
            AuditAction::Disable
        };
        let entry = call.entry(&caller, &granted, action);
        let at = app.clock.now();
        let committed = app
            .store
            .set_service_account_enabled(&granted, id, enabled, at, entry)
            .await?;
        Ok(committed.map(|_| StatusCode::OK))
    };
    if enabled {
        app.change(asker, work).await
    } else {
        app.revoke(asker, work).await
    }
}
