//! `GET /api/v1/authorization/access-rules/{accessRuleId}`. A deleted one is shown by the list alone (control-plane 2.4).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::AccessRule;
use reeve_authz::Entity;
use reeve_types::AccessRuleId;

use super::to_wire;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::PathId;

/// One rule, with the path of its scope.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: PathId,
) -> Result<Json<AccessRule>, ApiError> {
    let id: AccessRuleId = segment.id("access rule")?;
    let hidden = || ApiError::not_found("access rule", id);
    let scope = app.store.locate_access_rule(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow_read(&caller, Entity::AccessRules, scope, hidden)?;
    let row = app.store.access_rule(&granted, id).await?;
    let row = row.filter(|row| row.deleted_at.is_none()).ok_or_else(hidden)?;
    let directory = app.directory();
    let mut rule = to_wire(row, &directory);
    rule.scope_path = Some(directory.scope_path(scope));
    Ok(Json(rule))
}
