//! `PUT /api/v1/idps/{idp}`: 200. Another provider or client ends the sessions that the one before began.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{MASK, Mappers, SetIdp};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::{Secret, Timestamp};

use super::{IdpRefusal, is_mask, readable};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};
use crate::providers::{ClientIdp, ClientSettings, Idp, OidcSettings, OpenshiftSettings};

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
    let (after, ends_sessions) = match (before, &body.oidc_data, &body.ocp_data, &body.saml_data) {
        (Idp::Oidc(before), Some(data), _, _) => {
            let settings = OidcSettings::of(data).map_err(IdpRefusal::address::<OidcSettings>)?;
            let (after, ends_sessions) = client(before, settings, &data.client_secret, mappers, call.at)?;
            (Idp::Oidc(after), ends_sessions)
        }
        (Idp::Openshift(before), _, Some(data), _) => {
            let settings = OpenshiftSettings::of(data).map_err(IdpRefusal::address::<OpenshiftSettings>)?;
            let (after, ends_sessions) = client(before, settings, &data.client_secret, mappers, call.at)?;
            (Idp::Openshift(after), ends_sessions)
        }
        (Idp::Saml(before), _, _, Some(data)) => {
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

/// The provider of now, and whether it is another one. The secret that is kept goes to nobody but the provider it was given for, as the
/// client it was given for.
fn client<S: ClientSettings>(
    before: ClientIdp<S>,
    settings: S,
    secret: &Secret,
    mappers: Mappers,
    at: Timestamp,
) -> Result<(ClientIdp<S>, bool), ApiError> {
    let is_kept = secret.expose() == MASK;
    if !is_kept && is_mask(secret) {
        return Err(IdpRefusal::MaskedSecret { data: S::DATA }.into());
    }
    if is_kept && !before.settings.is_same_client(&settings) {
        return Err(IdpRefusal::SecretOfBefore {
            data: S::DATA,
            address: S::ADDRESS,
        }
        .into());
    }
    let ends_sessions = !before.settings.lets_in_as(&settings);
    let secret = match is_kept {
        true => before.secret.clone(),
        false => secret.clone(),
    };
    Ok((before.changed(settings, secret, mappers, at), ends_sessions))
}
