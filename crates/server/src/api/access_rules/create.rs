//! `POST /api/v1/authorization/access-rules`: 201. In force from the next request on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::access_rule::{AccessRule, CreateAccessRule};
use reeve_authz::{RoleId, Scope};
use reeve_store::{AuditAction, NewAccessRule};

use super::{subject_of_rule, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::extract::JsonBody;

/// Why there is no such rule.
#[derive(Debug, thiserror::Error)]
enum AccessRuleRefusal {
    /// 409: the role may not be given.
    #[error("the role is switched off: switch it on first")]
    RoleOff,
    /// 400: the scope lies in another cluster.
    #[error("`clusterId` is not the cluster of the scope: leave it out")]
    ClusterElsewhere,
}

impl Refusal for AccessRuleRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::RoleOff => RefusalKind::Conflict,
            Self::ClusterElsewhere => RefusalKind::Invalid,
        }
    }
}

/// Gives a subject a role in a scope. Nobody gives what they do not hold there themselves.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateAccessRule>,
) -> Result<(StatusCode, Json<AccessRule>), ApiError> {
    let made = create(&app, caller, call, body).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Makes one, as every way does that makes rules.
pub(super) async fn create(
    app: &Arc<App>,
    caller: Caller,
    call: Call,
    body: CreateAccessRule,
) -> Result<AccessRule, ApiError> {
    let role = RoleId::new(body.role_id).ok_or_else(|| ApiError::not_found("role", body.role_id))?;
    let (kind, id) = (body.scope_type.as_str(), body.scope_id.clone());
    let scope = Scope::from_wire(kind, &id).map_err(|_| ApiError::not_found(kind, &id))?;
    let change = app.change(caller.asker(), move |app| async move {
        if app.directory().index().role(role).is_none() {
            return Err(ApiError::not_found("role", role.number()));
        }
        let granted = app
            .directory()
            .allow_grant(&caller, role, scope, || ApiError::not_found(kind, id))?;
        if app
            .directory()
            .custom_role(role)
            .is_some_and(|role| !role.enabled)
        {
            return Err(AccessRuleRefusal::RoleOff.into());
        }
        let cluster = app.directory().cluster_of(scope);
        if body.cluster_id.is_some() && body.cluster_id != cluster {
            return Err(AccessRuleRefusal::ClusterElsewhere.into());
        }
        let subject = subject_of_rule(&app.directory(), &caller, body.subject_type, &body.subject_id)?;
        let new = NewAccessRule {
            subject,
            role,
            scope,
            created_at: call.at,
            created_by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, granted.granted(), AuditAction::Create);
        entry.cluster_id = cluster;
        Ok(app.store.create_access_rule(&granted, new, entry).await?)
    });
    let row = change.await?;
    Ok(to_wire(row, &app.directory()))
}
