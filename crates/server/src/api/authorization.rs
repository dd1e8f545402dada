//! Questions about access (control-plane 2.5, and ours). Every answer is the index's own: nothing here decides.
//!
//! **Who may ask about whom.** About themselves, by the groups of this session, everybody. About others, or by other groups, who
//! may read access rules: in the scope, where the question names one, else somewhere. A rule in a scope whose rules the caller
//! may not read counts for nothing, and `complete` is then false whether or not there is one: no answer depends on what is out
//! of the caller's sight, except who could grant what is missing (`grantableBy`): whom to ask is for everybody. A scope that the caller does not see is answered as one that is not there.

pub mod explain;
mod page;
pub mod permissions;
pub mod permitted_scopes;
pub mod preview;
mod subject;
pub mod what_can;
pub mod who_can;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::access_rule::ScopeType;
use reeve_api::authorization::{
    ActionName, Actions, AuthorizationOperation, ResourceType, RuleRef, ScopeRef, SubjectRef,
};
use reeve_authz::{Action, Entity, PermissionSet, Reason, Scope, SubjectKey, Visible};

use crate::api::access_rules::{scope_type, subject_type};
use crate::app::App;
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;
use crate::handler::to;
use crate::middleware::held_nowhere;

/// The handler of each operation.
pub(crate) fn route(operation: AuthorizationOperation) -> MethodRouter<Arc<App>> {
    use AuthorizationOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetPermissions => to(row, permissions::handle),
        Op::GetPermittedScopes => to(row, permitted_scopes::handle),
        Op::Explain => to(row, explain::handle),
        Op::WhoCan => to(row, who_can::handle),
        Op::WhatCan => to(row, what_can::handle),
        Op::Preview => to(row, preview::handle),
    }
}

/// The scope of a question, as text that says nothing of whether it exists; 404 for what no scope can be called.
fn scope_of(kind: ScopeType, id: &str) -> Result<Scope, ApiError> {
    Scope::from_wire(kind.as_str(), id).map_err(|_| ApiError::not_found(kind.as_str(), id))
}

/// How far the directory has followed the account's changes, for who may read every access rule: the number tells how much
/// others change.
fn revision(directory: &Directory, caller: &Caller) -> Option<i64> {
    let visible = directory
        .index()
        .visible(&caller.principal, Entity::AccessRules)
        .ok()?;
    visible.everything().then(|| directory.mark().number.0)
}

/// Whether the caller may read whatever users there are, and so the groups that their sessions are in.
fn reads_users(directory: &Directory, caller: &Caller) -> bool {
    let decided = directory
        .index()
        .decide(&caller.principal, Action::Read, Entity::Users, Scope::Account);
    decided.is_ok()
}

/// Refuses who holds a permission in no scope as the guard of an operation does that demands it: by what is said of it, nobody
/// learns whether there is a scope that she does not see.
fn held_somewhere(
    directory: &Directory,
    caller: &Caller,
    action: Action,
    scope: Option<Scope>,
) -> Result<(), ApiError> {
    let (index, kind) = (directory.index(), Entity::AccessRules);
    match index.decide(&caller.principal, action, kind, Scope::Account) {
        Err(denial) if denial.held_nowhere => Err(held_nowhere(directory, Some(caller), &denial, scope)),
        _ => Ok(()),
    }
}

/// The rules in sight.
fn in_sight(visible: Option<&Visible>, scope: Scope) -> bool {
    visible.is_none_or(|visible| visible.contains(scope))
}

fn scope_ref(directory: &Directory, scope: Scope) -> ScopeRef {
    ScopeRef {
        scope_type: scope_type(scope),
        scope_id: scope.wire_id(),
        scope_name: directory.short_name(scope),
    }
}

fn subject_ref(subject: &SubjectKey) -> SubjectRef {
    SubjectRef {
        subject_id: subject.name().to_owned(),
        subject_type: subject_type(subject),
    }
}

fn rule_ref(directory: &Directory, reason: &Reason) -> RuleRef {
    RuleRef {
        access_rule_id: reason.rule,
        subject: subject_ref(&reason.through),
        role_id: reason.role.id().number(),
        role_name: reason.role.display_name().to_owned(),
        scope: scope_ref(directory, reason.at),
    }
}

fn actions(permissions: PermissionSet) -> Vec<Actions> {
    let shown = |(entity, actions): (Entity, Vec<Action>)| Actions {
        resource_type: ResourceType(entity),
        actions: actions.into_iter().map(ActionName).collect(),
    };
    permissions.by_entity().map(shown).collect()
}
