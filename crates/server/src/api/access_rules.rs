//! Access rules (control-plane 2.4).

pub mod batch_create;
pub mod batch_delete;
pub mod count;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
mod status;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::access_rule::AccessRuleOperation;
use reeve_api::access_rule::{AccessRule, ScopeType, SubjectType};
use reeve_api::list::{AccessRuleColumn, ListQuery};
use reeve_authz::{Action, Entity, InvalidSubject, Scope, SubjectKey};
use reeve_store::{AccessRuleFilter, AccessRuleRow};
use reeve_types::{ServiceAccountId, Timestamp, UserId};

use crate::app::App;
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::{ApiError, Refusal};
use crate::extract::{InvalidRequest, QueryPairs};
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: AccessRuleOperation) -> MethodRouter<Arc<App>> {
    use AccessRuleOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetAccessRules => to(row, list::handle),
        Op::CreateAccessRule => to(row, create::handle),
        Op::CountAccessRules => to(row, count::handle),
        Op::GetAccessRule => to(row, get::handle),
        Op::DeleteAccessRule => to(row, delete::handle),
        Op::BatchAccessRules => to(row, batch_delete::handle),
        Op::BatchCreateAccessRules => to(row, batch_create::handle),
    }
}

/// A scope's type on the wire.
pub(super) const fn scope_type(scope: Scope) -> ScopeType {
    match scope {
        Scope::Account => ScopeType::Tenant,
        Scope::Cluster(_) => ScopeType::Cluster,
        Scope::Department(_) => ScopeType::Department,
        Scope::Project(_) => ScopeType::Project,
    }
}

pub(super) const fn subject_type(subject: &SubjectKey) -> SubjectType {
    match subject {
        SubjectKey::User(_) => SubjectType::User,
        SubjectKey::Group(_) => SubjectType::Group,
        SubjectKey::ServiceAccount(_) => SubjectType::ServiceAccount,
    }
}

/// Why a subject cannot be: 400.
#[derive(Debug, thiserror::Error)]
enum SubjectRefusal {
    /// No name that such a subject can have.
    #[error("`subjectId`: {0}")]
    Name(InvalidSubject),
    /// A group whose name looks like another's.
    #[error(
        "`subjectId`: a group's name has no invisible characters, none that turn text round, and no blank at either end"
    )]
    Unseen,
}

impl Refusal for SubjectRefusal {}

/// The one key of a subject: a user's email or a service account's name, though their ids are accepted too
/// (control-plane 2.1): from callers who may read them in the whole account, since the answer shows the name. To everybody else
/// an id is one that nobody has.
pub(super) fn subject_key(
    directory: &Directory,
    caller: &Caller,
    kind: SubjectType,
    id: &str,
) -> Result<SubjectKey, ApiError> {
    let reads = |entity| {
        directory
            .index()
            .decide(&caller.principal, Action::Read, entity, Scope::Account)
            .is_ok()
    };
    if kind == SubjectType::User
        && let Ok(id) = id.parse::<UserId>()
    {
        let user = directory.user(id).filter(|_| reads(Entity::Users));
        let user = user.ok_or_else(|| ApiError::not_found("user", id))?;
        return Ok(SubjectKey::User(user.email.clone()));
    }
    if kind == SubjectType::ServiceAccount
        && reads(Entity::ServiceAccount)
        && let Ok(id) = id.parse::<ServiceAccountId>()
        && let Some(account) = directory.service_account(id)
    {
        return Ok(SubjectKey::ServiceAccount(account.name.clone()));
    }
    Ok(SubjectKey::from_wire(kind.as_str(), id).map_err(SubjectRefusal::Name)?)
}

/// The subject of a rule that is to be made: as [`subject_key`], and no group whose name could be taken for another's.
pub(super) fn subject_of_rule(
    directory: &Directory,
    caller: &Caller,
    kind: SubjectType,
    id: &str,
) -> Result<SubjectKey, ApiError> {
    let subject = subject_key(directory, caller, kind, id)?;
    match &subject {
        SubjectKey::Group(name) if !name.is_seen_whole() => Err(SubjectRefusal::Unseen.into()),
        _ => Ok(subject),
    }
}

/// A rule as it is shown, without the path of its scope.
fn to_wire(row: AccessRuleRow, directory: &Directory) -> AccessRule {
    AccessRule {
        id: row.id,
        subject_id: row.subject.name().to_owned(),
        subject_type: subject_type(&row.subject),
        role_id: row.role.number(),
        role_name: directory.role_name(row.role),
        scope_id: row.scope.wire_id(),
        scope_type: scope_type(row.scope),
        cluster_id: row.cluster_id,
        tenant_id: TENANT_ID,
        created_at: row.created_at,
        updated_at: row.created_at,
        deleted_at: row.deleted_at,
        created_by: row.created_by.clone(),
        status: status::of(&row, directory),
        scope_name: row.scope_name,
        scope_path: None,
    }
}

/// `lastUpdated`: the reference names the parameter and does not say what it does. Here it lets through what was made or
/// deleted at that moment or later.
fn moment(text: &str) -> Result<Timestamp, InvalidRequest> {
    serde_json::from_value(text.into()).map_err(|_| InvalidRequest::NoMoment("lastUpdated"))
}

/// A parameter whose value is one of `values`, or nothing.
fn one_of(
    query: &ListQuery<AccessRuleColumn>,
    pairs: &QueryPairs,
    name: &'static str,
    values: &[&'static str],
) -> Result<Option<&'static str>, InvalidRequest> {
    pairs.one_of(name, values)?;
    let wanted = query.extra(name);
    Ok(values.iter().copied().find(|value| wanted == Some(value)))
}

/// What the operation's own parameters let through.
fn filter(query: &ListQuery<AccessRuleColumn>, pairs: &QueryPairs) -> Result<AccessRuleFilter, ApiError> {
    let kinds = ["user", "group", "service-account", "app"];
    // The older name of the same.
    let subject_type = one_of(query, pairs, "subjectType", &kinds)?
        .map(|kind| if kind == "app" { "service-account" } else { kind });
    let scopes = ["tenant", "cluster", "department", "project"];
    let scope_type = one_of(query, pairs, "scopeType", &scopes)?;
    let text = |name: &str| query.extra(name).map(str::to_owned);
    let names = |names: &str| names.split(',').map(str::to_owned).collect();
    Ok(AccessRuleFilter {
        deleted: query.flag("includeDeleted")?,
        subject_type,
        subject: text("subjectIdFilter"),
        subjects: query.extra("subjectIds").map(names),
        scope_type,
        scope_id: text("scopeId"),
        role_id: text("roleId"),
        cluster_id: text("clusterId"),
        since: query.extra("lastUpdated").map(moment).transpose()?,
    })
}
