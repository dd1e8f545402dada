//! `POST /api/v1/service-accounts/{serviceAccountId}/secret`: 200 with a new secret that is shown once. The old one and what
//! it signed in are worth nothing from the next request on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::RevealedSecret;
use reeve_api::service_account::{NewApplicationSecret, NewSecret};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::ServiceAccountId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Gives it another secret.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<NewSecret>, ApiError> {
    let client_secret = regenerate(&app, caller, call, &segment).await?;
    Ok(Json(NewSecret { client_secret }))
}

/// `POST /api/v1/apps/{serviceAccountId}/secret`: the same, with another name for the secret.
pub async fn of_application(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    NoBody: NoBody,
) -> Result<Json<NewApplicationSecret>, ApiError> {
    let secret = regenerate(&app, caller, call, &segment).await?;
    Ok(Json(NewApplicationSecret { secret }))
}

async fn regenerate(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    segment: &PathId,
) -> Result<RevealedSecret, ApiError> {
    let id: ServiceAccountId = segment.id("service account")?;
    let (client_secret, secret) = app.security.new_secret()?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("service account", id);
        let granted =
            app.directory()
                .allow_hidden(&caller, Action::Update, Entity::ServiceAccount, hidden)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        let at = app.clock.now();
        let set = app
            .store
            .set_service_account_secret(&granted, id, secret, at, entry);
        Ok(set.await?)
    })
    .await?;
    Ok(client_secret.into())
}
