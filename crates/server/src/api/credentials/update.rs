//! `PUT /api/v1/asset/credentials/<kind>/{AssetId}`: 202. Beside the description, which is all that the reference changes, the values.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::credential::{CredentialAsset, UpdateAssetMeta};
use reeve_authz::Action;
use reeve_store::{AuditAction, ChangeCredentialAsset};
use reeve_types::CredentialAssetId;

use super::values::SecretValues;
use super::{allowed, new_values, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Changes a credential; its copies follow.
pub(super) async fn handle<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<V::Update>,
) -> Result<(StatusCode, Json<CredentialAsset>), ApiError> {
    let id: CredentialAssetId = segment.id("credential")?;
    let (meta, values): (Option<UpdateAssetMeta>, Option<V>) = body.into();
    let change = app.change(caller.asker(), move |app| async move {
        let (granted, scope) = allowed(&app, &caller, Action::Update, V::KIND, id).await?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = app.directory().cluster_of(scope);
        let change = ChangeCredentialAsset {
            description: meta.and_then(|meta| meta.description),
            values: values.map(|values| new_values(&app, id, &values)).transpose()?,
            at: call.at,
            by: caller.name.clone(),
        };
        Ok(app
            .store
            .update_credential_asset(&granted, id, change, entry)
            .await?)
    });
    let row = change.await?;
    let asset = to_wire(row, &app.directory(), true)?;
    Ok((StatusCode::ACCEPTED, Json(asset)))
}
