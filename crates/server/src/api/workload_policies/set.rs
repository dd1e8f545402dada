//! `PUT /api/v2/policy/trainings` and `…/workspaces`: 200. What it would refuse by itself or together with the policies above and
//! below is refused before it is written, with the field's name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload_policy::{SetWorkloadPolicy, WorkloadPolicy};
use reeve_authz::{Action, Entity, Scope};
use reeve_store::workload_policy::scoped;
use reeve_store::{AuditAction, Committed, SetPolicy};
use reeve_types::workload_policy::{Effective, Policy, check_way};
use reeve_types::{PolicyId, PolicyKind};

use super::refusal::WorkloadPolicyRefusal;
use super::{hidden, scope, to_wire};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::ApiError;
use crate::extract::{JsonBody, QueryPairs};

/// Of trainings.
pub async fn training(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    pairs: QueryPairs,
    JsonBody(body): JsonBody<SetWorkloadPolicy>,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    set(app, caller, call, &pairs, body, PolicyKind::Training).await
}

/// Of workspaces.
pub async fn workspace(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    pairs: QueryPairs,
    JsonBody(body): JsonBody<SetWorkloadPolicy>,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    set(app, caller, call, &pairs, body, PolicyKind::Workspace).await
}

async fn set(
    app: Arc<App>,
    caller: Caller,
    call: Call,
    pairs: &QueryPairs,
    body: SetWorkloadPolicy,
    kind: PolicyKind,
) -> Result<Json<WorkloadPolicy>, ApiError> {
    pairs.only(&["validateOnly", "approveClusterDeletion"])?;
    for name in ["validateOnly", "approveClusterDeletion"] {
        pairs.one_of(name, &["true", "false"])?;
    }
    let place = &body.meta;
    let at = scope(
        place.scope,
        place.cluster_id,
        place.department_id,
        place.project_id,
        "meta.",
    )?;
    if pairs.get("validateOnly") == Some("true") {
        let directory = app.directory();
        drop(directory.allow(
            &caller,
            Action::Update,
            Entity::Policies,
            at,
            Entity::Policies,
            || hidden(at),
        )?);
        let holds = check(&directory, at, kind, &body.policy)?;
        let mut answer = to_wire(None, holds);
        answer.policy = Some(body.policy);
        return Ok(Json(answer));
    }
    let id = PolicyId::from_uuid(app.security.uuid()?);
    let change = app.change(caller.asker(), move |app| async move {
        let granted = app.directory().allow(
            &caller,
            Action::Update,
            Entity::Policies,
            at,
            Entity::Policies,
            || hidden(at),
        )?;
        let holds = check(&app.directory(), at, kind, &body.policy)?;
        let new = SetPolicy {
            id,
            scope: at,
            kind,
            name: body.meta.name,
            policy: body.policy,
            at: call.at,
            by: caller.name.clone(),
        };
        let mut entry = call.entry(&caller, &granted, AuditAction::Update);
        entry.cluster_id = app.directory().cluster_of(at);
        let done = app.store.set_workload_policy(&granted, new, entry).await?;
        Ok::<Committed<_>, ApiError>(done.map(|row| (row, holds)))
    });
    let (row, holds) = change.await?;
    Ok(Json(to_wire(Some(row), holds)))
}

/// What holds in the scope with this policy, when it goes together with those above it, and with each one below.
fn check(
    directory: &Directory,
    at: Scope,
    kind: PolicyKind,
    policy: &Policy,
) -> Result<Effective, WorkloadPolicyRefusal> {
    let way = |end: Scope| {
        let of = |scope| {
            if scope == at {
                Some(policy)
            } else {
                directory.policy(scope, kind)
            }
        };
        scoped(&directory.index().ancestors(end), of, |scope| {
            directory.scope_name(scope)
        })
    };
    let ends = directory.policies_below(at, kind).chain([at]);
    for end in ends {
        check_way(&way(end)).map_err(WorkloadPolicyRefusal::Policy)?;
    }
    Ok(reeve_types::workload_policy::effective(&way(at)))
}
