//! `GET /api/v1/authorization/me/access-rules` and its count: the rules that reach the caller, those of groups too.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::list::{AccessRuleColumn, ListQuery};
use reeve_api::me::{MyAccessRule, MyAccessRules, MyAccessRulesPage};
use reeve_api::{Count, TENANT_ID};

use crate::api::access_rules::{scope_type, subject_type};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page, the oldest first.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<MyAccessRules>, ApiError> {
    pairs.only(&["limit", "offset", "search"])?;
    let query = pairs.list::<AccessRuleColumn>()?;
    let all = found(&app, &caller, &query);
    let total_records = all.len();
    let access_rules: Vec<_> = all.into_iter().skip(query.offset).take(query.limit).collect();
    Ok(Json(MyAccessRules {
        access_rules: MyAccessRulesPage {
            total_records,
            display_records: access_rules.len(),
            access_rules,
        },
    }))
}

/// How many there are.
pub async fn count(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<Count>, ApiError> {
    pairs.only(&["search"])?;
    let query = pairs.list::<AccessRuleColumn>()?;
    let count = found(&app, &caller, &query).len();
    Ok(Json(Count {
        count: u64::try_from(count).unwrap_or(u64::MAX),
    }))
}

fn found(app: &App, caller: &Caller, query: &ListQuery<AccessRuleColumn>) -> Vec<MyAccessRule> {
    let directory = app.directory();
    let mut all: Vec<_> = directory
        .index()
        .what_can(&caller.principal)
        .into_iter()
        .map(|reason| MyAccessRule {
            id: reason.rule,
            subject_id: reason.through.name().to_owned(),
            subject_type: subject_type(&reason.through),
            role_id: reason.role.id().number(),
            role_name: reason.role.display_name().to_owned(),
            scope_id: reason.at.wire_id(),
            scope_type: scope_type(reason.at),
            scope_name: directory.short_name(reason.at),
            cluster_id: directory.cluster_of(reason.at),
            tenant_id: TENANT_ID,
        })
        .filter(|rule| {
            let holds = |text: &str| {
                let texts = [&rule.subject_id, &rule.role_name, &rule.scope_name];
                texts.iter().any(|it| it.to_lowercase().contains(text))
            };
            query.search.as_deref().is_none_or(holds)
        })
        .collect();
    all.sort_by_key(|rule| rule.id);
    all
}
