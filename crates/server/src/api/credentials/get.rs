//! `GET /api/v1/asset/credentials/<kind>/{AssetId}`: without the values.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::credential::CredentialAsset;
use reeve_authz::Action;
use reeve_types::CredentialAssetId;

use super::values::SecretValues;
use super::{allowed, to_wire};
use crate::api::assets::wants_status;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};

/// One credential.
pub(super) async fn handle<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<Json<CredentialAsset>, ApiError> {
    pairs.only(&["usageInfo", "statusInfo"])?;
    let with_status = wants_status(&pairs)?;
    let id: CredentialAssetId = segment.id("credential")?;
    let (granted, _) = allowed(&app, &caller, Action::Read, V::KIND, id).await?;
    let row = app.store.credential_asset(&granted, id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("credential", id))?;
    Ok(Json(to_wire(row, &app.directory(), with_status)?))
}
