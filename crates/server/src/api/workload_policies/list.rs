//! `GET /api/v2/policy`: 200.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload_policy::{PolicyEntry, WorkloadPolicies};
use reeve_authz::{Entity, Scope};
use reeve_types::{ClusterId, DepartmentId, ProjectId};

use super::{SCOPES, id, meta};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Those whose scope the caller may read policies in, cut by the parameters.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    pairs: QueryPairs,
) -> Result<Json<WorkloadPolicies>, ApiError> {
    pairs.only(&[
        "workloadType",
        "scope",
        "departmentId",
        "projectId",
        "clusterId",
        "includeFallbackPolicies",
    ])?;
    pairs.one_of("workloadType", &["Workspace", "Training"])?;
    pairs.one_of("scope", &SCOPES)?;
    pairs.one_of("includeFallbackPolicies", &["true", "false"])?;
    let ids: Vec<Scope> = [
        id::<ClusterId>(&pairs, "clusterId")?.map(Scope::Cluster),
        id::<DepartmentId>(&pairs, "departmentId")?.map(Scope::Department),
        id::<ProjectId>(&pairs, "projectId")?.map(Scope::Project),
    ]
    .into_iter()
    .flatten()
    .collect();
    let asked = |name: &str, value: &str| {
        pairs
            .get(name)
            .is_none_or(|text| text.is_empty() || text.eq_ignore_ascii_case(value))
    };
    let visible = app.directory().visible(&caller, Entity::Policies)?;
    let rows = app.store.workload_policies(&visible).await?;
    let policies = rows
        .into_iter()
        .filter(|row| asked("workloadType", row.kind.as_str()) && asked("scope", row.scope.wire_type()))
        .filter(|row| ids.iter().all(|scope| *scope == row.scope))
        .map(|row| PolicyEntry {
            kind: row.kind,
            meta: meta(&row),
        })
        .collect();
    Ok(Json(WorkloadPolicies { policies }))
}
