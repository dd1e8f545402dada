//! `POST /api/v2/authorization/roles`: 201. Nobody makes a role that allows more than they may do in the whole account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::custom_role::{RoleV2, SetRole};
use reeve_authz::{Action, RoleId};
use reeve_store::AuditAction;

use super::{as_role, switched_on, to_wire, wanted};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// No role has it: the role that is judged has no number yet.
const JUDGED: i64 = i32::MAX as i64;

/// Makes a role.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<SetRole>,
) -> Result<(StatusCode, Json<RoleV2>), ApiError> {
    switched_on(&app)?;
    let new = wanted(body, call.at, caller.name.clone())?;
    let id = RoleId::new(JUDGED).ok_or_else(|| ApiError::not_found("role", JUDGED))?;
    let judged = as_role(id, &new)?;
    let change = app.change(caller.asker(), move |app| async move {
        let granted = app.directory().allow_define(&caller, Action::Create, &judged)?;
        let entry = call.entry(&caller, &granted, AuditAction::Create);
        Ok(app.store.create_custom_role(&granted, new, entry).await?)
    });
    let made = change.await?;
    let directory = app.directory();
    let role = directory.index().role(made.id);
    let role = role.ok_or_else(|| ApiError::not_found("role", made.id.number()))?;
    let shown = to_wire(&directory, role, app.settings.account_created_at);
    Ok((StatusCode::CREATED, Json(shown)))
}
