//! Access rules (control-plane 2.4).

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
use reeve_api::list::ListQuery;
use reeve_authz::{Entity, Scope, SubjectKey};
use reeve_store::AccessRuleRow;
use reeve_types::Timestamp;

use crate::app::App;
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::extract::Pairs;
use crate::router::to;

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
    }
}

/// How many rules are shaped while the directory is held.
const TOGETHER: usize = 16;

/// A scope's type on the wire.
pub(super) const fn scope_type(scope: Scope) -> ScopeType {
    match scope {
        Scope::Account => ScopeType::Tenant,
        Scope::Cluster(_) => ScopeType::Cluster,
        Scope::Department(_) => ScopeType::Department,
        Scope::Project(_) => ScopeType::Project,
    }
}

const fn subject_type(subject: &SubjectKey) -> SubjectType {
    match subject {
        SubjectKey::User(_) => SubjectType::User,
        SubjectKey::Group(_) => SubjectType::Group,
        SubjectKey::ServiceAccount(_) => SubjectType::ServiceAccount,
    }
}

/// A rule as it is shown, without the path of its scope.
fn shown(row: AccessRuleRow, directory: &Directory) -> AccessRule {
    AccessRule {
        id: row.id,
        subject_id: row.subject.name().to_owned(),
        subject_type: subject_type(&row.subject),
        role_id: row.role.number(),
        role_name: row.role.to_string(),
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
fn moment(text: &str) -> Result<Timestamp, ApiError> {
    serde_json::from_value(text.into()).map_err(|_| {
        ApiError::Invalid(
            "parameter `lastUpdated`: a moment like `2026-01-31T12:00:00Z` is needed".to_owned(),
        )
    })
}

/// All the caller may see that the operation's own parameters let through.
async fn visible(
    app: &App,
    caller: &Caller,
    query: &ListQuery,
    pairs: &Pairs,
) -> Result<Vec<AccessRule>, ApiError> {
    pairs.one_of("subjectType", &["user", "group", "service-account", "app"])?;
    pairs.one_of("scopeType", &["tenant", "cluster", "department", "project"])?;
    let visible = app.directory().visible(caller, Entity::AccessRules)?;
    let rows = app
        .store
        .access_rules(&visible, query.flag("includeDeleted")?)
        .await?;
    let since = query.extra("lastUpdated").map(moment).transpose()?;
    let wanted = |name: &str, is: &str| query.extra(name).is_none_or(|wanted| wanted == is);
    let keep = |rule: &AccessRule| {
        let kind = rule.subject_type.as_str();
        let by_kind = wanted("subjectType", kind)
            || (query.extra("subjectType") == Some("app")
                && rule.subject_type == SubjectType::ServiceAccount);
        let by_subject = query
            .extra("subjectIds")
            .is_none_or(|ids| ids.split(',').any(|id| id == rule.subject_id));
        let changed = rule.deleted_at.unwrap_or(rule.updated_at);
        by_kind
            && by_subject
            && since.is_none_or(|since| changed >= since)
            && wanted("subjectIdFilter", &rule.subject_id)
            && wanted("scopeType", rule.scope_type.as_str())
            && wanted("scopeId", &rule.scope_id)
            && wanted("roleId", &rule.role_id.to_string())
            && wanted(
                "clusterId",
                &rule.cluster_id.map(|id| id.to_string()).unwrap_or_default(),
            )
    };
    let mut all = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        // A few at a time: a change waits for nobody's list.
        let directory = app.directory();
        let some = rows.by_ref().take(TOGETHER).map(|row| shown(row, &directory));
        all.extend(some.filter(keep));
    }
    Ok(all)
}
