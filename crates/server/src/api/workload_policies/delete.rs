//! `DELETE /api/v2/policy/trainings` and `…/workspaces`: 204.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use reeve_authz::{Action, Entity};
use reeve_store::AuditAction;
use reeve_types::PolicyKind;

use super::{hidden, scope_of};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Of trainings.
pub async fn training(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    pairs: QueryPairs,
) -> Result<StatusCode, ApiError> {
    delete(app, caller, call, pairs, PolicyKind::Training).await
}

/// Of workspaces.
pub async fn workspace(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    pairs: QueryPairs,
) -> Result<StatusCode, ApiError> {
    delete(app, caller, call, pairs, PolicyKind::Workspace).await
}

/// Removes it: what it said holds nowhere any more.
async fn delete(
    app: Arc<App>,
    caller: Caller,
    call: Call,
    pairs: QueryPairs,
    kind: PolicyKind,
) -> Result<StatusCode, ApiError> {
    pairs.only(&[
        "scope",
        "departmentId",
        "projectId",
        "clusterId",
        "approveClusterDeletion",
    ])?;
    pairs.one_of("approveClusterDeletion", &["true", "false"])?;
    let scope = scope_of(&pairs)?;
    app.change(caller.asker(), move |app| async move {
        let granted = app.directory().allow(
            &caller,
            Action::Delete,
            Entity::Policies,
            scope,
            Entity::Policies,
            || hidden(scope),
        )?;
        let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
        entry.cluster_id = app.directory().cluster_of(scope);
        Ok(app
            .store
            .delete_workload_policy(&granted, scope, kind, entry)
            .await?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
