//! `PUT /api/v1/idps/{idp}`: 200. Another provider or client ends the sessions that the one before began.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{MASK, Mappers, SetIdp, SetOidcData};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::Timestamp;

use super::{IdpRefusal, is_mask, readable};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};
use crate::providers::{Idp, OidcIdp, OidcSettings, mapper};

/// Sets it up anew.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetIdp>,
) -> Result<StatusCode, ApiError> {
    let before = readable(&app, &caller, &segment).await?;
    if body.name.as_ref().is_some_and(|name| name != before.alias()) {
        return Err(IdpRefusal::OtherAlias.into());
    }
    let mappers = body.mappers.clone().unwrap_or_else(|| before.mappers().clone());
    let (after, ends_sessions) = match (before, &body.oidc_data, &body.saml_data) {
        (Idp::Oidc(before), Some(data), _) => oidc(before, data, mappers, call.at)?,
        (Idp::Saml(before), _, Some(data)) => {
            let after = before.changed(data, mappers, call.at)?;
            // Another provider, or other keys of it, speak for nobody who is signed in.
            let ends_sessions = before.settings != after.settings;
            (Idp::Saml(after), ends_sessions)
        }
        _ => return Err(IdpRefusal::OtherType.into()),
    };
    let (row, alias) = (after.row(&app.security)?, after.alias().clone());
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

/// The secret that is kept goes to nobody but the provider it was given for, as the client it was given for.
fn oidc(
    before: OidcIdp,
    data: &SetOidcData,
    mappers: Mappers,
    at: Timestamp,
) -> Result<(Idp, bool), ApiError> {
    let kept = data.client_secret.expose() == MASK;
    if !kept && is_mask(&data.client_secret) {
        return Err(IdpRefusal::MaskedSecret.into());
    }
    let settings = OidcSettings::of(data).map_err(IdpRefusal::DiscoveryAddress)?;
    let whose = |it: &OidcSettings| (it.client_id.clone(), it.discover_document_url.clone());
    if kept && whose(&before.settings) != whose(&settings) {
        return Err(IdpRefusal::SecretOfBefore.into());
    }
    let after = OidcIdp {
        settings,
        secret: if kept {
            before.secret.clone()
        } else {
            data.client_secret.clone()
        },
        mapper: mapper(&mappers),
        mappers,
        updated_at: at,
        ..before.clone()
    };
    let who = |idp: &OidcIdp| (whose(&idp.settings), idp.settings.mandatory_claim.clone());
    let ends_sessions = who(&before) != who(&after);
    Ok((Idp::Oidc(after), ends_sessions))
}
