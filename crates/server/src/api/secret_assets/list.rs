//! `GET /api/v1/asset/datasource/secrets`: in pages of our own, which the reference does not have.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::secret_asset::SecretAssets;
use reeve_store::SecretAssetFilter;
use reeve_types::SecretAssetId;

use super::{ENTITY, to_wire, wants_status};
use crate::api::assets;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{InvalidRequest, QueryPairs};

const PARAMETERS: [&str; 13] = [
    "name",
    "scope",
    "projectId",
    "departmentId",
    "clusterId",
    "assetIds",
    "usageInfo",
    "statusInfo",
    "complyToProject",
    "complyToWorkloadType",
    "complyToReplicaType",
    "offset",
    "limit",
];
/// Of how many ids can be asked at once: as many as a query string holds.
const MOST_IDS: usize = 200;

/// A page of those that the caller may see.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<SecretAssets>, ApiError> {
    pairs.only(&PARAMETERS)?;
    let asked = pairs.get("assetIds").filter(|text| !text.is_empty());
    let filter = SecretAssetFilter {
        asset: assets::filter(&pairs)?,
        ids: asked.map(ids).transpose()?,
        mounting: None,
    };
    let with_status = wants_status(&pairs)?;
    let visible = app.directory().visible(&caller, ENTITY)?;
    let rows = app.store.secret_assets(&visible, &filter).await?;
    let directory = app.directory();
    let entries = rows.into_iter().map(|row| to_wire(row, &directory, with_status));
    Ok(Json(SecretAssets {
        entries: entries.collect(),
    }))
}

fn ids(text: &str) -> Result<Vec<SecretAssetId>, InvalidRequest> {
    let all: Result<Vec<SecretAssetId>, _> = text.split(',').map(str::parse).collect();
    let few = all.ok().filter(|ids| ids.len() <= MOST_IDS);
    few.ok_or(InvalidRequest::NoId("assetIds"))
}
