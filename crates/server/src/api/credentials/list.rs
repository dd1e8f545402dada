//! `GET /api/v1/asset/credentials` and `GET /api/v1/asset/credentials/<kind>`: in pages of our own, which
//! the reference does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::credential::{AllCredentials, AnyCredential, CredentialAsset, CredentialAssets};
use reeve_authz::Entity;
use reeve_store::CredentialAssetFilter;
use reeve_types::CredentialAssetKind;

use super::to_wire;
use super::values::SecretValues;
use crate::api::assets;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

const PARAMETERS: [&str; 9] = [
    "name",
    "scope",
    "projectId",
    "departmentId",
    "clusterId",
    "usageInfo",
    "statusInfo",
    "offset",
    "limit",
];

/// Those of one kind.
pub(super) async fn handle<V: SecretValues>(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<CredentialAssets>, ApiError> {
    let entries = found(&app, &caller, Some(V::KIND), &pairs).await?;
    Ok(Json(CredentialAssets { entries }))
}

/// Those of every kind.
pub(super) async fn all(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<AllCredentials>, ApiError> {
    let entries = found(&app, &caller, None, &pairs).await?;
    let any = |asset: CredentialAsset| AnyCredential {
        spec: BTreeMap::from([(asset.meta.kind.to_string(), asset.spec)]),
        meta: asset.meta,
        status: asset.status,
        cluster_info: asset.cluster_info,
    };
    Ok(Json(AllCredentials {
        entries: entries.into_iter().map(any).collect(),
    }))
}

async fn found(
    app: &App,
    caller: &Caller,
    kind: Option<CredentialAssetKind>,
    pairs: &QueryPairs,
) -> Result<Vec<CredentialAsset>, ApiError> {
    pairs.only(&PARAMETERS)?;
    let filter = CredentialAssetFilter {
        kind,
        asset: assets::filter(pairs)?,
        created_by: None,
    };
    let with_status = assets::wants_status(pairs)?;
    let visible = app.directory().visible(caller, Entity::Credentials)?;
    let rows = app.store.credential_assets(&visible, &filter).await?;
    let directory = app.directory();
    rows.into_iter()
        .map(|row| to_wire(row, &directory, with_status))
        .collect()
}
