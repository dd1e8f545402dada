//! `POST /api/v1/idps`: 201 with the alias.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{CreatedIdp, Mappers, SetIdp, SetOidcData, SetSamlData};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::{IdpAlias, Timestamp};

use super::{IdpRefusal, is_mask};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::providers::{Idp, OidcIdp, OidcSettings, SamlIdp, mapper};

/// Sets one up. Metadata that comes along is read; whether an address answers is seen at the first sign-in.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<SetIdp>,
) -> Result<(StatusCode, Json<CreatedIdp>), ApiError> {
    // Nothing is read, and no key made, for whoever may not.
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Create, Entity::SecuritySettings)?,
    );
    let mappers = body.mappers.clone().unwrap_or_default();
    let idp = match (&body.oidc_data, body.saml_data) {
        (Some(data), _) => oidc(data, mappers, body.name.clone(), call.at)?,
        (None, Some(data)) => saml(data, mappers, body.name.clone(), call.at).await?,
        (None, None) => return Err(ApiError::NoRoute),
    };
    let alias = idp.alias().clone();
    let row = idp.row(&app.security)?;
    app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_in_account(&caller, Action::Create, Entity::SecuritySettings)?;
        let entry = call.entry(&caller, &granted, AuditAction::Create);
        Ok(app.store.create_identity_provider(&granted, row, entry).await?)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(CreatedIdp { alias })))
}

fn oidc(
    data: &SetOidcData,
    mappers: Mappers,
    name: Option<IdpAlias>,
    at: Timestamp,
) -> Result<Idp, ApiError> {
    if is_mask(&data.client_secret) {
        return Err(IdpRefusal::MaskedSecret.into());
    }
    Ok(Idp::Oidc(OidcIdp {
        alias: alias(name, "oidc")?,
        settings: OidcSettings::of(data).map_err(IdpRefusal::DiscoveryAddress)?,
        secret: data.client_secret.clone(),
        mapper: mapper(&mappers),
        mappers,
        created_at: at,
        updated_at: at,
    }))
}

async fn saml(
    data: SetSamlData,
    mappers: Mappers,
    name: Option<IdpAlias>,
    at: Timestamp,
) -> Result<Idp, ApiError> {
    let alias = alias(name, "saml")?;
    // A key of that length takes some tenths of a second to make.
    let made = tokio::task::spawn_blocking(move || SamlIdp::new(alias, &data, mappers, at));
    made.await.map_err(ApiError::internal)?.map(Idp::Saml)
}

/// The alias, which is the type where none is given.
fn alias(given: Option<IdpAlias>, usual: &str) -> Result<IdpAlias, ApiError> {
    given.map_or_else(|| usual.parse().map_err(ApiError::internal), Ok)
}
