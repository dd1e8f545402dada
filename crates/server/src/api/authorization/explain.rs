//! `POST /api/v1/authorization/explain`: why somebody may do something, or what is missing and who could grant it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::authorization::{AllowingRule, Decision, Explain, Explanation, Missing};
use reeve_authz::{Action, Denial, Entity, Reason, Scope, Visible};

use super::subject::Judged;
use super::{held_somewhere, in_sight, revision, scope_of, scope_ref, subject_ref};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::{Directory, entity_of};
use crate::error::ApiError;
use crate::extract::JsonBody;

/// By the rules in the caller's sight; about the caller by all of the caller's.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<Explain>,
) -> Result<Json<Explanation>, ApiError> {
    let scope = scope_of(body.scope_type, &body.scope_id)?;
    let hidden = || ApiError::not_found(body.scope_type.as_str(), &body.scope_id);
    let (action, entity) = (body.action.0, body.resource_type.0);
    let directory = app.directory();
    let judged = Judged::of(&directory, &caller, body.subject, call.at)?;
    let visible = about_others(&directory, &caller, &judged, scope, hidden)?;
    let complete = visible
        .as_ref()
        .is_none_or(|visible| visible.everything() && judged.groups_are_known());
    let index = directory.index();
    let explained = index.explain(&judged.principal, (action, entity), scope, |at| {
        in_sight(visible.as_ref(), at)
    });
    // What allows something in a scope shows that there is one.
    if explained.is_err() && !sees(&directory, &caller, scope) {
        return Err(hidden());
    }
    let (decision, allowed_by, missing) = match explained {
        Ok(reasons) => {
            let rules = reasons.iter().map(|reason| allowing(&directory, reason, scope));
            (Decision::Allow, rules.collect(), None)
        }
        Err(denial) => {
            let decision = if complete {
                Decision::Refuse
            } else {
                Decision::Unknown
            };
            (decision, Vec::new(), Some(missing(&directory, &denial)))
        }
    };
    Ok(Json(Explanation {
        decision,
        subject: judged.to_wire(),
        resource_type: body.resource_type,
        action: body.action,
        scope: scope_ref(&directory, scope),
        complete,
        revision: revision(&directory, &caller),
        allowed_by,
        missing,
    }))
}

/// The rules by which others are judged: those that the caller may read, and those of this scope must be among them. `None`
/// where the question is the caller's own.
fn about_others(
    directory: &Directory,
    caller: &Caller,
    judged: &Judged,
    scope: Scope,
    hidden: impl FnOnce() -> ApiError,
) -> Result<Option<Visible>, ApiError> {
    if judged.is_the_caller() {
        return Ok(None);
    }
    let kind = Entity::AccessRules;
    held_somewhere(directory, caller, Action::Read, Some(scope))?;
    drop(directory.allow(caller, Action::Read, kind, scope, entity_of(scope), hidden)?);
    directory.visible(caller, kind).map(Some)
}

fn sees(directory: &Directory, caller: &Caller, scope: Scope) -> bool {
    directory.sees(caller, entity_of(scope), scope) || directory.sees(caller, Entity::AccessRules, scope)
}

fn allowing(directory: &Directory, reason: &Reason, scope: Scope) -> AllowingRule {
    let way = directory.index().ancestors(scope);
    let from_the_rule = way.into_iter().skip_while(|step| *step != reason.at);
    AllowingRule {
        access_rule_id: reason.rule,
        role_id: reason.role.id().number(),
        role_name: reason.role.display_name().to_owned(),
        through: subject_ref(&reason.through),
        scope_path: from_the_rule.map(|step| scope_ref(directory, step)).collect(),
    }
}

fn missing(directory: &Directory, denial: &Denial) -> Missing {
    Missing {
        permission: denial.missing().to_string(),
        grantable_at: denial.grantable_at().map(|at| scope_ref(directory, at)),
        grantable_by: denial.who_could_grant().iter().map(subject_ref).collect(),
        message: denial.explanation_with(|scope| directory.scope_name(scope)),
    }
}
