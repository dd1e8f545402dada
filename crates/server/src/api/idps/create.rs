//! `POST /api/v1/idps`: 201 with the alias.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{CreatedIdp, Mappers, SetIdp, SetSamlData};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::{IdpAlias, Secret, Timestamp};

use super::{IdpRefusal, is_mask};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::providers::{ClientIdp, ClientSettings, Idp, OidcSettings, OpenshiftSettings, SamlIdp};

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
    let (name, at) = (body.name.clone(), call.at);
    let idp = match (&body.oidc_data, &body.ocp_data, body.saml_data) {
        (Some(data), _, _) => {
            let settings = OidcSettings::of(data).map_err(IdpRefusal::address::<OidcSettings>)?;
            Idp::Oidc(client(settings, &data.client_secret, mappers, name, at)?)
        }
        (None, Some(data), _) => {
            let settings = OpenshiftSettings::of(data).map_err(IdpRefusal::address::<OpenshiftSettings>)?;
            Idp::Openshift(client(settings, &data.client_secret, mappers, name, at)?)
        }
        (None, None, Some(data)) => saml(data, mappers, name, at).await?,
        (None, None, None) => return Err(ApiError::NoRoute),
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

fn client<S: ClientSettings>(
    settings: S,
    secret: &Secret,
    mappers: Mappers,
    name: Option<IdpAlias>,
    at: Timestamp,
) -> Result<ClientIdp<S>, ApiError> {
    if is_mask(secret) {
        return Err(IdpRefusal::MaskedSecret { data: S::DATA }.into());
    }
    let alias = alias(name, S::KIND)?;
    Ok(ClientIdp::new(alias, settings, secret.clone(), mappers, at))
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
