//! `PUT /api/v1/asset/datasource/secrets/{AssetId}`: 202. Name and description, and what it says of workloads as a whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::secret_asset::{SecretAsset, UpdateSecretAsset};
use reeve_authz::Action;
use reeve_store::{AuditAction, ChangeSecretAsset};
use reeve_types::SecretAssetId;

use super::{WHAT, allowed, may_name, spec, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Changes a secret asset.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<UpdateSecretAsset>,
) -> Result<(StatusCode, Json<SecretAsset>), ApiError> {
    let id: SecretAssetId = segment.id(WHAT)?;
    let change = app.change(caller.asker(), move |app| async move {
        let (granted, scope) = allowed(&app, &caller, Action::Update, id).await?;
        if let Some(spec) = &body.spec {
            may_name(&app, &caller, spec.credential_asset_id, scope).await?;
        }
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = app.directory().cluster_of(scope);
        let change = ChangeSecretAsset {
            name: body.meta.name,
            description: body.meta.description,
            spec: body.spec.map(spec),
            at: call.at,
            by: caller.name.clone(),
        };
        Ok(app.store.update_secret_asset(&granted, id, change, entry).await?)
    });
    let row = change.await?;
    Ok((StatusCode::ACCEPTED, Json(to_wire(row, &app.directory(), true))))
}
