//! `DELETE /api/v1/service-accounts/{serviceAccountId}`: 204. Its tokens are worth nothing from the next
//! request on, and its rules go with it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::Entity;
use reeve_types::ServiceAccountId;

use crate::api::deletion;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a service account.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: ServiceAccountId = segment.id("service account")?;
    let at = call.at;
    deletion::of_account(
        &app,
        caller,
        call,
        Entity::ServiceAccount,
        ("service account", id),
        move |app, granted, entry| async move {
            app.store.delete_service_account(&granted, id, at, entry).await
        },
    )
    .await
}
