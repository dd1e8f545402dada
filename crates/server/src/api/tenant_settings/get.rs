//! `GET /v1/k8s/setting/{settingKey}`: a bare boolean.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::setting::DEPARTMENT_USE;
use reeve_authz::{Action, Entity};

use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One of them.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<bool>, ApiError> {
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Read, Entity::Settings)?,
    );
    if segment.text() == DEPARTMENT_USE {
        Ok(Json(true))
    } else {
        Err(ApiError::not_found("setting", segment.text()))
    }
}
