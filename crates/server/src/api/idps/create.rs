//! `POST /api/v1/idps`: 201 with the alias.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::identity_provider::{CreatedIdp, MASK, SetIdp};
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::IdpAlias;

use super::IdpRefusal;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::providers::{Idp, OidcSettings, mapper};

/// Sets one up. Whether it answers is seen at the first sign-in.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<SetIdp>,
) -> Result<(StatusCode, Json<CreatedIdp>), ApiError> {
    let data = body.oidc_data.as_ref().ok_or(ApiError::NoRoute)?;
    if data.client_secret.expose() == MASK {
        return Err(IdpRefusal::MaskedSecret.into());
    }
    let usual = || "oidc".parse::<IdpAlias>().map_err(ApiError::internal);
    let alias = body.name.clone().map_or_else(usual, Ok)?;
    let mappers = body.mappers.clone().unwrap_or_default();
    let idp = Idp {
        alias: alias.clone(),
        settings: OidcSettings::of(data).map_err(IdpRefusal::DiscoveryAddress)?,
        secret: data.client_secret.clone(),
        mapper: mapper(&mappers),
        mappers,
        created_at: call.at,
        updated_at: call.at,
    };
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
