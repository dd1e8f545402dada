//! `POST /api/v1/asset/datasource/secrets`: 202.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::secret_asset::{CreateSecretAsset, SecretAsset};
use reeve_authz::Action;
use reeve_store::{AuditAction, NewSecretAsset};
use reeve_types::SecretAssetId;

use super::{ENTITY, may_name, spec, to_wire};
use crate::api::assets::lies_there;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::entity_of;
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Keeps a secret asset.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateSecretAsset>,
) -> Result<(StatusCode, Json<SecretAsset>), ApiError> {
    let scope = body.meta.scope()?;
    let id = SecretAssetId::from_uuid(app.security.uuid()?);
    let change = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found(scope.wire_type(), scope.wire_id());
        let seen = entity_of(scope);
        let granted = app
            .directory()
            .allow(&caller, Action::Create, ENTITY, scope, seen, hidden)?;
        lies_there(&app.directory(), &body.meta, scope)?;
        may_name(&app, &caller, body.spec.credential_asset_id, scope).await?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = app.directory().cluster_of(scope);
        let new = NewSecretAsset {
            id,
            name: body.meta.name,
            description: body.meta.description,
            scope,
            spec: spec(body.spec),
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        Ok(app.store.create_secret_asset(&granted, new, entry).await?)
    });
    let row = change.await?;
    Ok((StatusCode::ACCEPTED, Json(to_wire(row, &app.directory(), true))))
}
