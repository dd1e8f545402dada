//! `POST /api/v1/authorization/access-rules`: 201. In force from the next request on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use reeve_api::access_rule::{AccessRule, CreateAccessRule, SubjectType};
use reeve_authz::{Action, Entity, InvalidSubject, RoleId, Scope, SubjectKey};
use reeve_store::{AuditAction, NewAccessRule};
use reeve_types::{ServiceAccountId, UserId};

use super::to_wire;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::{ApiError, Refusal};
use crate::extract::JsonBody;

/// Why there is no such rule: 400.
#[derive(Debug, thiserror::Error)]
enum AccessRuleRefusal {
    /// The scope lies in another cluster.
    #[error("`clusterId` is not the cluster of the scope: leave it out")]
    ClusterElsewhere,
    /// No subject can be called that.
    #[error("`subjectId`: {0}")]
    Subject(InvalidSubject),
}

impl Refusal for AccessRuleRefusal {}

/// Gives a subject a role in a scope. Nobody gives what she does not hold there herself.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<CreateAccessRule>,
) -> Result<(StatusCode, Json<AccessRule>), ApiError> {
    let role = RoleId::predefined(body.role_id).ok_or_else(|| ApiError::not_found("role", body.role_id))?;
    let (kind, id) = (body.scope_type.as_str(), body.scope_id.clone());
    let scope = Scope::from_wire(kind, &id).map_err(|_| ApiError::not_found(kind, &id))?;
    let change = app.change(caller.asker(), move |app| async move {
        let granted = app
            .directory()
            .allow_grant(&caller, role, scope, || ApiError::not_found(kind, id))?;
        let cluster = app.directory().cluster_of(scope);
        if body.cluster_id.is_some() && body.cluster_id != cluster {
            return Err(AccessRuleRefusal::ClusterElsewhere.into());
        }
        let subject = subject(&app.directory(), &caller, &body)?;
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
    Ok((StatusCode::CREATED, Json(to_wire(row, &app.directory()))))
}

/// The one key of a subject: a user's email or a service account's name, though their ids are accepted too
/// (control-plane 2.1): from callers who may read them, since the answer shows the name.
fn subject(directory: &Directory, caller: &Caller, body: &CreateAccessRule) -> Result<SubjectKey, ApiError> {
    let reads = |entity| {
        directory
            .index()
            .holds_anywhere(&caller.principal, Action::Read, entity)
    };
    if body.subject_type == SubjectType::User
        && let Ok(id) = body.subject_id.parse::<UserId>()
    {
        let user = directory.user(id).filter(|_| reads(Entity::Users));
        let user = user.ok_or_else(|| ApiError::not_found("user", id))?;
        return Ok(SubjectKey::User(user.email.clone()));
    }
    if body.subject_type == SubjectType::ServiceAccount
        && reads(Entity::ServiceAccount)
        && let Ok(id) = body.subject_id.parse::<ServiceAccountId>()
        && let Some(account) = directory.service_account(id)
    {
        return Ok(SubjectKey::ServiceAccount(account.name.clone()));
    }
    let subject = SubjectKey::from_wire(body.subject_type.as_str(), &body.subject_id);
    Ok(subject.map_err(AccessRuleRefusal::Subject)?)
}
