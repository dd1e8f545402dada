//! `DELETE /api/v1/asset/credentials/<kind>/{AssetId}`: 202, or 204 for the kinds that the reference added later.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::Accepted;
use reeve_authz::Action;
use reeve_store::AuditAction;
use reeve_types::{CredentialAssetId, CredentialAssetKind};

use super::allowed;
use super::values::SecretValues;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// With a sentence.
pub(super) async fn accepted<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    remove(&app, caller, call, V::KIND, segment.id("credential")?).await?;
    let message = "the credential is deleted, and its copies in clusters are being removed".to_owned();
    Ok((StatusCode::ACCEPTED, Json(Accepted { code: 202, message })))
}

/// Without one.
pub(super) async fn gone<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    remove(&app, caller, call, V::KIND, segment.id("credential")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a credential: clusters remove its copies.
pub(in crate::api) async fn remove(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    kind: CredentialAssetKind,
    id: CredentialAssetId,
) -> Result<(), ApiError> {
    app.revoke(caller.asker(), move |app| async move {
        let (granted, scope) = allowed(&app, &caller, Action::Delete, kind, id).await?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        Ok(app.store.delete_credential_asset(&granted, id, entry).await?)
    })
    .await
}
