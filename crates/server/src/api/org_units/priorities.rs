//! `GET /api/v1/org-unit/priorities`: none. Quotas are kept and not enforced, so that no priority ranks anything.

use axum::Json;
use reeve_api::org::Priorities;

use crate::error::ApiError;
use crate::extract::QueryPairs;

/// The same for everybody who may ask.
pub async fn handle(pairs: QueryPairs) -> Result<Json<Priorities>, ApiError> {
    pairs.only(&[])?;
    Ok(Json(Priorities::default()))
}
