//! `POST /api/v2/authorization/roles/{roleIdPath}/enable` and `/disable`: 204. One that is off cannot be given; while access rules give
//! it, it stays on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, RoleId};
use reeve_store::{AuditAction, SetCustomRole};

use super::{as_role, custom, switched_on};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::{NoBody, PathId};

/// Lets it be given.
pub async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, call, &segment, true).await
}

/// Lets it be given no more.
pub async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
    _: NoBody,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, call, &segment, false).await
}

async fn set(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    segment: &PathId,
    enabled: bool,
) -> Result<StatusCode, ApiError> {
    let id = custom(&app.directory(), segment)?;
    if enabled {
        switched_on(app)?;
    }
    let (at, by) = (call.at, caller.name.clone());
    let change = app.change(caller.asker(), move |app| async move {
        let facts = app.directory().custom_role(id).cloned();
        let facts = facts.ok_or_else(|| ApiError::not_found("role", id.number()))?;
        let new = SetCustomRole {
            name: facts.name,
            description: facts.description,
            enabled,
            permission_sets: facts.permission_sets,
            in_clusters_as: facts.in_clusters_as.and_then(RoleId::new),
            at,
            by,
        };
        let judged = as_role(id, &new)?;
        let granted = app.directory().allow_define(&caller, Action::Update, &judged)?;
        let action = if enabled {
            AuditAction::Enable
        } else {
            AuditAction::Disable
        };
        let entry = call.entry(&caller, &granted, action);
        Ok(app.store.update_custom_role(&granted, id, new, entry).await?)
    });
    change.await?;
    Ok(StatusCode::NO_CONTENT)
}
