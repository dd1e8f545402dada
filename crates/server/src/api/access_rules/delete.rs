//! `DELETE /api/v1/authorization/access-rules/{accessRuleId}`: 204. In force from the next request on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity, Granted, Rule};
use reeve_store::AuditAction;
use reeve_types::AccessRuleId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a rule; 409 for that of the account's last local System administrator.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    delete(&app, caller, call, segment.id("access rule")?).await
}

/// Removes one, as every way does that removes rules by their numbers.
pub(in crate::api) async fn delete(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    id: AccessRuleId,
) -> Result<StatusCode, ApiError> {
    app.revoke(caller.asker(), move |app| async move {
        let (rule, granted) = may_delete(&app.directory(), &caller, id)?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(rule.scope);
        let committed = app.store.delete_access_rule(&granted, id, call.at, entry).await?;
        Ok(committed.map(|()| StatusCode::NO_CONTENT))
    })
    .await
}

/// The rule, and the permission to delete it.
pub(in crate::api) fn may_delete(
    directory: &Directory,
    caller: &Caller,
    id: AccessRuleId,
) -> Result<(Rule, Granted), ApiError> {
    let hidden = || ApiError::not_found("access rule", id);
    let rule = directory.index().rule(id).ok_or_else(hidden)?;
    let kind = Entity::AccessRules;
    let granted = directory.allow(caller, Action::Delete, kind, rule.scope, kind, hidden)?;
    // What somebody could not give they do not take away either: a Department administrator not the rule of who made them
    // one. Their own they may.
    if rule.subject != caller.principal.subject {
        drop(directory.allow_grant(caller, rule.role, rule.scope, hidden)?);
    }
    Ok((rule, granted))
}
