//! `GET /api/v1/access-keys/{accessKeyId}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_key::AccessKey;
use reeve_types::AccessKeyId;

use super::{not_found, owner, to_wire};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One of the caller's access keys; another's is not there.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<AccessKey>, ApiError> {
    let id: AccessKeyId = segment.id("access key")?;
    let keys = app
        .store
        .access_keys(&crate::audit::own_access_key(), owner(&caller)?)
        .await?;
    let key = keys.into_iter().find(|key| key.id == id);
    Ok(Json(to_wire(key.ok_or_else(|| not_found(id))?)))
}
