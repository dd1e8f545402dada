//! `GET /api/v1/asset/datasource/secrets/{AssetId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::secret_asset::SecretAsset;
use reeve_authz::Action;
use reeve_types::SecretAssetId;

use super::{WHAT, allowed, to_wire, wants_status};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{PathId, QueryPairs};

const PARAMETERS: [&str; 5] = [
    "usageInfo",
    "statusInfo",
    "complyToProject",
    "complyToWorkloadType",
    "complyToReplicaType",
];

/// One secret asset.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
    pairs: QueryPairs,
) -> Result<Json<SecretAsset>, ApiError> {
    pairs.only(&PARAMETERS)?;
    let with_status = wants_status(&pairs)?;
    let id: SecretAssetId = segment.id(WHAT)?;
    let (granted, _) = allowed(&app, &caller, Action::Read, id).await?;
    let row = app.store.secret_asset(&granted, id).await?;
    let row = row.ok_or_else(|| ApiError::not_found(WHAT, id))?;
    Ok(Json(to_wire(row, &app.directory(), with_status)))
}
