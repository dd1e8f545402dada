//! `GET /api/v1/authorization/permission-sets`.

use axum::Json;
use reeve_api::custom_role::PermissionSets;

use super::set_to_wire;
use crate::error::ApiError;
use crate::extract::QueryPairs;
use crate::permission_sets;

/// All of them.
pub async fn handle(pairs: QueryPairs) -> Result<Json<PermissionSets>, ApiError> {
    pairs.only(&[])?;
    Ok(Json(PermissionSets {
        permission_sets: permission_sets::all().iter().map(set_to_wire).collect(),
    }))
}
