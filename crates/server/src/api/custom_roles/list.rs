//! `GET /api/v2/authorization/roles`. Roles are in memory, at most some more than a hundred; so is this list.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::custom_role::{RoleV2, RolesV2};
use reeve_api::list::{Clause, Column, ListQuery, Operand, Operator, RoleColumn};

use super::to_wire;
use crate::app::App;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// A page: the same for everybody who may see any.
pub async fn handle(State(app): State<Arc<App>>, pairs: QueryPairs) -> Result<Json<RolesV2>, ApiError> {
    let query = pairs.list::<RoleColumn>()?;
    let directory = app.directory();
    let since = app.settings.account_created_at;
    let all = directory
        .index()
        .roles()
        .map(|role| to_wire(&directory, role, since));
    Ok(Json(page(all.collect(), &query)))
}

fn page(mut roles: Vec<RoleV2>, query: &ListQuery<RoleColumn>) -> RolesV2 {
    roles.retain(|role| query.clauses.iter().all(|clause| holds(role, clause)));
    if let Some(text) = &query.search {
        let searched: Vec<_> = RoleColumn::ALL.iter().filter(|it| it.facts().searched).collect();
        roles.retain(|role| {
            searched
                .iter()
                .any(|it| field(role, **it).contains(text.as_str()))
        });
    }
    roles.sort_by(|one, other| {
        let sorted = query
            .sort
            .map_or(Ordering::Equal, |column| compare(one, other, column));
        let order = sorted.then(one.id.cmp(&other.id));
        if query.descending { order.reverse() } else { order }
    });
    let end = query.offset.saturating_add(query.limit);
    let next = (roles.len() > end).then_some(end);
    let roles = roles.into_iter().skip(query.offset).take(query.limit).collect();
    RolesV2 { roles, next }
}

/// As text, in lower case.
fn field(role: &RoleV2, column: RoleColumn) -> String {
    match column {
        RoleColumn::Name => role.name.to_lowercase(),
        RoleColumn::Description => role.description.to_lowercase(),
        RoleColumn::CreatedAt => role.created_at.to_string(),
        RoleColumn::CreatedBy => role.created_by.to_lowercase(),
        RoleColumn::Custom => role.custom.to_string(),
        // Every role is the account's.
        RoleColumn::ScopeType => "tenant".to_owned(),
        RoleColumn::Enabled => role.enabled.to_string(),
    }
}

fn compare(one: &RoleV2, other: &RoleV2, column: RoleColumn) -> Ordering {
    match column {
        RoleColumn::CreatedAt => one.created_at.cmp(&other.created_at),
        _ => field(one, column).cmp(&field(other, column)),
    }
}

fn holds(role: &RoleV2, clause: &Clause<RoleColumn>) -> bool {
    let text = field(role, clause.column);
    let order = match &clause.operand {
        Operand::Text(wanted) => match clause.operator {
            Operator::Contains => return text.contains(wanted.as_str()),
            Operator::ContainsNot => return !text.contains(wanted.as_str()),
            Operator::StartsWith => return text.starts_with(wanted.as_str()),
            Operator::EndsWith => return text.ends_with(wanted.as_str()),
            _ => text.cmp(wanted),
        },
        Operand::Moment(wanted) => role.created_at.cmp(wanted),
        // No column holds numbers.
        Operand::Number(_) => return false,
    };
    match clause.operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::AtMost => order.is_le(),
        Operator::AtLeast => order.is_ge(),
        _ => false,
    }
}
