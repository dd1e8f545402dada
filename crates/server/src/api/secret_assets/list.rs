//! `GET /api/v1/asset/datasource/secrets`: not in pages, as the reference has it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::secret_asset::SecretAssets;
use reeve_store::SecretAssetFilter;
use reeve_types::SecretAssetId;

use super::{ENTITY, to_wire, wants_status};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::{InvalidRequest, QueryPairs};

const PARAMETERS: [&str; 11] = [
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
];
const SCOPES: [&str; 4] = ["tenant", "cluster", "department", "project"];
/// Of how many ids can be asked at once: as many as a query string holds.
const MOST_IDS: usize = 200;

/// Those that the caller may see.
pub(super) async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<SecretAssets>, ApiError> {
    pairs.only(&PARAMETERS)?;
    pairs.one_of("scope", &SCOPES)?;
    let with_status = wants_status(&pairs)?;
    let text = |name: &str| pairs.get(name).filter(|text| !text.is_empty());
    let number = |name: &'static str| {
        let parsed = text(name).map(str::parse::<i64>).transpose();
        parsed.map_err(|_| InvalidRequest::NoNumber(name))
    };
    let filter = SecretAssetFilter {
        ids: text("assetIds").map(ids).transpose()?,
        name: text("name").map(str::to_owned),
        scope_type: SCOPES.into_iter().find(|scope| text("scope") == Some(scope)),
        cluster_id: text("clusterId").map(str::to_owned),
        department_id: number("departmentId")?,
        project_id: number("projectId")?,
    };
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
