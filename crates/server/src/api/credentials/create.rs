//! `POST /api/v1/asset/credentials/<kind>`: 202; clusters take it up.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::credential::{CreateAssetMeta, CredentialAsset};
use reeve_authz::{Action, Entity};
use reeve_store::{AuditAction, NewCredentialAsset};
use reeve_types::CredentialAssetId;

use super::values::SecretValues;
use super::{new_values, to_wire};
use crate::api::assets::lies_there;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::entity_of;
use crate::error::ApiError;
use crate::extract::JsonBody;

/// Keeps a credential.
pub(super) async fn handle<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<V::Create>,
) -> Result<(StatusCode, Json<CredentialAsset>), ApiError> {
    let (meta, values): (CreateAssetMeta, V) = body.into();
    let scope = meta.scope()?;
    let id = CredentialAssetId::from_uuid(app.security.uuid()?);
    let change = app.change(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found(scope.wire_type(), scope.wire_id());
        let entity = Entity::Credentials;
        let seen = entity_of(scope);
        let granted = app
            .directory()
            .allow(&caller, Action::Create, entity, scope, seen, hidden)?;
        lies_there(&app.directory(), &meta, scope)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Create);
        entry.cluster_id = app.directory().cluster_of(scope);
        let new = NewCredentialAsset {
            id,
            kind: V::KIND,
            values: new_values(&app, id, &values)?,
            name: meta.name,
            description: meta.description,
            scope,
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        Ok(app.store.create_credential_asset(&granted, new, entry).await?)
    });
    let row = change.await?;
    let asset = to_wire(row, &app.directory(), true)?;
    Ok((StatusCode::ACCEPTED, Json(asset)))
}
