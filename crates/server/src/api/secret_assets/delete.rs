//! `DELETE /api/v1/asset/datasource/secrets/{AssetId}`: 202. The credential stays.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::Accepted;
use reeve_authz::Action;
use reeve_store::AuditAction;
use reeve_types::SecretAssetId;

use super::{WHAT, allowed};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a secret asset.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let id: SecretAssetId = segment.id(WHAT)?;
    app.revoke(caller.asker(), move |app| async move {
        let (granted, scope) = allowed(&app, &caller, Action::Delete, id).await?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        Ok(app.store.delete_secret_asset(&granted, id, entry).await?)
    })
    .await?;
    let message = "the secret asset is deleted; its credential stays".to_owned();
    Ok((StatusCode::ACCEPTED, Json(Accepted { code: 202, message })))
}
