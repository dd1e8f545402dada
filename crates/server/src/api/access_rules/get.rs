//! `GET /api/v1/authorization/access-rules/{accessRuleId}`: also a deleted one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::AccessRule;
use reeve_authz::Entity;
use reeve_types::AccessRuleId;

use super::shown;
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::Segment;

/// One rule, with the path of its scope.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    segment: Segment,
) -> Result<Json<AccessRule>, ApiError> {
    let id: AccessRuleId = segment.id("access rule")?;
    let hidden = || ApiError::not_found("access rule", id);
    let scope = app.store.locate_access_rule(id).await?.ok_or_else(hidden)?;
    let granted = app
        .directory()
        .allow_read(&caller, Entity::AccessRules, scope, hidden)?;
    let mut rule = shown(app.store.access_rule(&granted, id).await?.ok_or_else(hidden)?);
    rule.scope_path = Some(app.directory().scope_path(scope));
    Ok(Json(rule))
}
