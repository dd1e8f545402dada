//! `POST /api/v1/authorization/what-can`: what somebody may do, rule by rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::authorization::{AskWhatCan, RolePermissions, WhatCan};
use reeve_authz::{Entity, Reason};

use super::subject::Judged;
use super::{actions, in_sight, page, revision, rule_ref};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// By the rules in the caller's sight; of the caller by all of the caller's.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<AskWhatCan>,
) -> Result<Json<WhatCan>, ApiError> {
    let directory = app.directory();
    let judged = Judged::of(&directory, &caller, body.subject, call.at)?;
    let visible = if judged.is_the_caller() {
        None
    } else {
        Some(directory.visible(&caller, Entity::AccessRules)?)
    };
    let mut all = directory.index().what_can(&judged.principal);
    all.retain(|reason| in_sight(visible.as_ref(), reason.at));
    all.sort_unstable_by_key(|reason| reason.rule);
    let (shown, total_records, next) = page::of(all, body.limit, body.offset);
    Ok(Json(WhatCan {
        subject: judged.to_wire(),
        complete: visible
            .as_ref()
            .is_none_or(|visible| visible.everything() && judged.groups_are_known()),
        revision: revision(&directory, &caller),
        total_records,
        next,
        rules: shown.iter().map(|reason| rule_ref(&directory, reason)).collect(),
        roles: roles(&shown),
    }))
}

fn roles(shown: &[Reason]) -> Vec<RolePermissions> {
    let each: BTreeMap<_, _> = shown.iter().map(|it| (it.role.id(), &it.role)).collect();
    let role = |(id, role): (reeve_authz::RoleId, &reeve_authz::Role)| RolePermissions {
        role_id: id.number(),
        role_name: role.display_name().to_owned(),
        permissions: actions(role.permissions()),
    };
    each.into_iter().map(role).collect()
}
