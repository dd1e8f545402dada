//! `POST /api/v1/authorization/who-can`: by which rules anybody may do something in a scope.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::authorization::{AskWhoCan, WhoCan};
use reeve_authz::{Action, Entity};

use super::{page, revision, rule_ref, scope_of};
use crate::app::App;
use crate::caller::Caller;
use crate::directory::entity_of;
use crate::error::ApiError;
use crate::extract::JsonBody;

/// For who may read the access rules of the scope: of those above it the ones that she may read.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<AskWhoCan>,
) -> Result<Json<WhoCan>, ApiError> {
    let scope = scope_of(body.scope_type, &body.scope_id)?;
    let hidden = || ApiError::not_found(body.scope_type.as_str(), &body.scope_id);
    let directory = app.directory();
    let kind = Entity::AccessRules;
    drop(directory.allow(&caller, Action::Read, kind, scope, entity_of(scope), hidden)?);
    let visible = directory.visible(&caller, kind)?;
    let mut all = directory
        .index()
        .who_can(body.action.0, body.resource_type.0, scope);
    all.retain(|reason| visible.contains(reason.at));
    let (shown, total_records, next) = page::of(all, body.limit, body.offset);
    Ok(Json(WhoCan {
        complete: visible.everything(),
        revision: revision(&directory, &caller),
        total_records,
        next,
        rules: shown.iter().map(|reason| rule_ref(&directory, reason)).collect(),
    }))
}
