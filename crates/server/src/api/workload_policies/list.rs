//! `GET /api/v2/policy`: 200.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::workload_policy::{PolicyEntry, WorkloadPolicies};
use reeve_authz::{Entity, Scope};
use reeve_store::PolicyFilter;
use reeve_types::{ClusterId, DepartmentId, PolicyKind, ProjectId};

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
    let scopes: Vec<Scope> = [
        id::<ClusterId>(&pairs, "clusterId")?.map(Scope::Cluster),
        id::<DepartmentId>(&pairs, "departmentId")?.map(Scope::Department),
        id::<ProjectId>(&pairs, "projectId")?.map(Scope::Project),
    ]
    .into_iter()
    .flatten()
    .collect();
    let kind = |text: &str| {
        let mut kinds = PolicyKind::ALL.into_iter();
        kinds.find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    };
    let filter = PolicyFilter {
        kind: pairs.get("workloadType").and_then(kind),
        scope_type: pairs
            .get("scope")
            .and_then(|text| SCOPES.into_iter().find(|name| *name == text)),
        scopes,
    };
    let visible = app.directory().visible(&caller, Entity::Policies)?;
    let rows = app.store.workload_policies(&visible, &filter).await?;
    let policies = rows.into_iter().map(|row| PolicyEntry {
        kind: row.kind,
        meta: meta(&row),
    });
    Ok(Json(WorkloadPolicies {
        policies: policies.collect(),
    }))
}
