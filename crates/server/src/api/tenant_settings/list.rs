//! `GET /v1/k8s/setting`: a bare array.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::setting::TenantSetting;
use reeve_authz::{Action, Entity};

use super::department_use;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// All of them.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Vec<TenantSetting>>, ApiError> {
    pairs.only(&[])?;
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Read, Entity::Settings)?,
    );
    Ok(Json(vec![department_use()]))
}
