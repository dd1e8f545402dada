//! `PUT /api/v1/idps/{idp}`: 200. Another provider or client ends the sessions that the one before began.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{MASK, SetIdp};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;

use super::{IdpRefusal, readable};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};
use crate::providers::{Idp, OidcSettings, mapper};

/// Sets it up anew.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetIdp>,
) -> Result<StatusCode, ApiError> {
    let before = readable(&app, &caller, &segment).await?;
    if body.name.as_ref().is_some_and(|name| *name != before.alias) {
        return Err(IdpRefusal::OtherAlias.into());
    }
    let data = body.oidc_data.as_ref().ok_or(ApiError::NoRoute)?;
    let kept = data.client_secret.expose() == MASK;
    let mappers = body.mappers.clone().unwrap_or_else(|| before.mappers.clone());
    let after = Idp {
        settings: OidcSettings::of(data).map_err(IdpRefusal::DiscoveryAddress)?,
        secret: if kept {
            before.secret.clone()
        } else {
            data.client_secret.clone()
        },
        mapper: mapper(&mappers),
        mappers,
        updated_at: call.at,
        ..before.clone()
    };
    let who = |idp: &Idp| {
        (
            idp.settings.client_id.clone(),
            idp.settings.discover_document_url.clone(),
        )
    };
    let ends_sessions =
        who(&before) != who(&after) || before.settings.mandatory_claim != after.settings.mandatory_claim;
    let (row, alias) = (after.row(&app.security)?, after.alias.clone());
    app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Update, Entity::SecuritySettings)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        let done = app
            .store
            .update_identity_provider(&granted, row, ends_sessions, entry);
        Ok(done.await?)
    })
    .await?;
    app.providers.forget(&alias);
    Ok(StatusCode::OK)
}
