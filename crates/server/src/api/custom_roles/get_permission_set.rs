//! `GET /api/v1/authorization/permission-sets/{permissionSetId}`.

use axum::Json;
use reeve_api::custom_role::PermissionSet;

use super::set_to_wire;
use crate::error::ApiError;
use crate::extract::PathId;
use crate::permission_sets;

/// One of them.
pub async fn handle(segment: PathId) -> Result<Json<PermissionSet>, ApiError> {
    let set = permission_sets::one(segment.id("permission set")?);
    let set = set.ok_or_else(|| ApiError::not_found("permission set", segment.text()))?;
    Ok(Json(set_to_wire(set)))
}
