//! `DELETE /api/v1/authorization/access-rules/{accessRuleId}`: 204. In force from the next request on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::AccessRuleId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::PathId;

/// Removes a rule; 409 for that of the account's last local System administrator.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    segment: PathId,
) -> Result<StatusCode, ApiError> {
    let id: AccessRuleId = segment.id("access rule")?;
    app.revoke(caller.asker(), move |app| async move {
        let hidden = || ApiError::not_found("access rule", id);
        let rule = app.directory().index().rule(id).ok_or_else(hidden)?;
        let scope = rule.scope;
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::AccessRules,
            scope,
            Entity::AccessRules,
            hidden,
        )?;
        // What somebody could not give they do not take away either: a Department administrator not the rule of who made them
        // one. Their own they may.
        if rule.subject != caller.principal.subject {
            drop(app.directory().allow_grant(&caller, rule.role, scope, hidden)?);
        }
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        let committed = app.store.delete_access_rule(&granted, id, call.at, entry).await?;
        Ok(committed.map(|()| StatusCode::NO_CONTENT))
    })
    .await
}
