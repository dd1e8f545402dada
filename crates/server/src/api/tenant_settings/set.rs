//! `PUT /v1/k8s/setting`: 200 where it asks for what holds. Nothing changes by it, and no event says that something did.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::setting::{DEPARTMENT_USE, SetTenantSetting, TenantSettingSet};
use reeve_authz::{Action, Entity};

use crate::app::App;
use crate::caller::Caller;
use crate::error::{ApiError, Refusal};
use crate::extract::JsonBody;

/// 400: it cannot be switched off.
#[derive(Debug, thiserror::Error)]
#[error("`value`: `{DEPARTMENT_USE}` is always true: every project is in a department")]
struct AlwaysUsed;

impl Refusal for AlwaysUsed {}

/// Says that it holds.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<SetTenantSetting>,
) -> Result<Json<TenantSettingSet>, ApiError> {
    drop(
        app.directory()
            .allow_in_account(&caller, Action::Update, Entity::Settings)?,
    );
    if body.key != DEPARTMENT_USE {
        return Err(ApiError::not_found("setting", body.key));
    }
    if !body.value {
        return Err(AlwaysUsed.into());
    }
    let msg = format!("{DEPARTMENT_USE} is true");
    Ok(Json(TenantSettingSet { msg }))
}
