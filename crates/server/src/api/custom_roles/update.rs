//! `PUT /api/v2/authorization/roles/{roleIdPath}`: 200. What it allows more, its holders may from the next request on; so whoever changes
//! it has to hold all of it in the whole account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::custom_role::{RoleV2, SetRole};
use reeve_authz::Action;
use reeve_store::AuditAction;

use super::{as_role, custom, switched_on, to_wire, wanted};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{JsonBody, PathId};

/// Changes a role.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    JsonBody(body): JsonBody<SetRole>,
) -> Result<Json<RoleV2>, ApiError> {
    let id = custom(&app.directory(), &segment)?;
    switched_on(&app)?;
    let new = wanted(body, call.at, caller.name.clone())?;
    let judged = as_role(id, &new)?;
    let change = app.change(caller.asker(), move |app| async move {
        let granted = app.directory().allow_define(&caller, Action::Update, &judged)?;
        let entry = call.entry(&caller, &granted, AuditAction::Update);
        Ok(app.store.update_custom_role(&granted, id, new, entry).await?)
    });
    change.await?;
    let directory = app.directory();
    let role = directory.index().role(id);
    let role = role.ok_or_else(|| ApiError::not_found("role", id.number()))?;
    Ok(Json(to_wire(&directory, role, app.settings.account_created_at)))
}
