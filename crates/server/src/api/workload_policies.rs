//! Workload policies (control-plane 4.6): one for each scope and kind of workload.

pub mod delete;
pub mod get;
pub mod list;
mod refusal;
pub mod set;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::workload_policy::{EffectivePolicy, PolicyMeta, WorkloadPolicy, WorkloadPolicyOperation};
use reeve_authz::Scope;
use reeve_store::PolicyRow;
use reeve_store::workload_policy::source;
use reeve_types::PolicyKind;
use reeve_types::workload_policy::{Effective, ScopeType};
use reeve_types::{ClusterId, DepartmentId, ProjectId};

use crate::app::App;
use crate::directory::{Directory, entity_of};
use crate::error::ApiError;
use crate::extract::{InvalidRequest, QueryPairs};
use crate::handler::to;

use refusal::WorkloadPolicyRefusal;

/// The handler of each operation.
pub(crate) fn route(operation: WorkloadPolicyOperation) -> MethodRouter<Arc<App>> {
    use WorkloadPolicyOperation as Op;
    let row = operation.row();
    match operation {
        Op::ListPolicies => to(row, list::handle),
        Op::GetTrainingPolicy => to(row, get::training),
        Op::SetTrainingPolicy => to(row, set::training),
        Op::DeleteTrainingPolicy => to(row, delete::training),
        Op::GetWorkspacePolicy => to(row, get::workspace),
        Op::SetWorkspacePolicy => to(row, set::workspace),
        Op::DeleteWorkspacePolicy => to(row, delete::workspace),
    }
}

/// The parameters that name a scope.
const WHERE: [&str; 4] = ["scope", "departmentId", "projectId", "clusterId"];
const SCOPES: [&str; 4] = ["tenant", "cluster", "department", "project"];

/// A scope of its type and the id that belongs to it; other ids are refused.
fn scope(
    kind: ScopeType,
    cluster: Option<ClusterId>,
    department: Option<DepartmentId>,
    project: Option<ProjectId>,
    at: &'static str,
) -> Result<Scope, WorkloadPolicyRefusal> {
    let given = [
        ("clusterId", cluster.is_some(), ScopeType::Cluster),
        ("departmentId", department.is_some(), ScopeType::Department),
        ("projectId", project.is_some(), ScopeType::Project),
    ];
    let scope = match kind {
        ScopeType::Tenant => Some(Scope::Account),
        ScopeType::Cluster => cluster.map(Scope::Cluster),
        ScopeType::Department => department.map(Scope::Department),
        ScopeType::Project => project.map(Scope::Project),
    };
    for (id, is_given, of) in given {
        let scope = kind;
        match (is_given, of == kind) {
            (true, false) => return Err(WorkloadPolicyRefusal::IdOfAnotherScope { at, id, scope }),
            (false, true) => return Err(WorkloadPolicyRefusal::IdMissing { at, id, scope }),
            (true, true) | (false, false) => {}
        }
    }
    scope.ok_or(WorkloadPolicyRefusal::NoId { at })
}

/// The scope that the parameters name.
fn scope_of(pairs: &QueryPairs) -> Result<Scope, ApiError> {
    pairs.one_of("scope", &SCOPES)?;
    let kind = match pairs.get("scope").unwrap_or_default() {
        "tenant" => ScopeType::Tenant,
        "cluster" => ScopeType::Cluster,
        "department" => ScopeType::Department,
        "project" => ScopeType::Project,
        _ => {
            return Err(InvalidRequest::NoneOf {
                name: "scope",
                values: SCOPES.to_vec(),
            }
            .into());
        }
    };
    Ok(scope(
        kind,
        id(pairs, "clusterId")?,
        id(pairs, "departmentId")?,
        id(pairs, "projectId")?,
        "",
    )?)
}

fn id<T: std::str::FromStr>(pairs: &QueryPairs, name: &'static str) -> Result<Option<T>, InvalidRequest> {
    let text = pairs.get(name).filter(|text| !text.is_empty());
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| InvalidRequest::NoId(name))
}

/// 404 of a scope that is not there or not to be seen.
fn hidden(scope: Scope) -> ApiError {
    ApiError::not_found(entity_of(scope).wire_name(), scope.wire_id())
}

/// What holds in a scope.
fn effective(directory: &Directory, scope: Scope, kind: PolicyKind) -> Effective {
    reeve_types::workload_policy::effective(&directory.policies_on_the_way(scope, kind))
}

fn meta(row: &PolicyRow) -> PolicyMeta {
    let source = source(row.scope);
    PolicyMeta {
        id: row.id,
        tenant_id: TENANT_ID,
        name: row.name.clone(),
        scope: source.scope,
        project_id: source.project_id.map(ProjectId::number),
        department_id: source.department_id,
        cluster_id: source.cluster_id,
        created_by: row.created_by.clone(),
        created_at: row.created_at,
        updated_by: row.updated_by.clone(),
        updated_at: row.updated_at,
    }
}

fn to_wire(row: Option<PolicyRow>, effective: Effective) -> WorkloadPolicy {
    WorkloadPolicy {
        meta: row.as_ref().map(meta),
        effective_updated_at: row.as_ref().map(|row| row.updated_at),
        policy: row.map(|row| row.policy),
        effective: EffectivePolicy {
            defaults: effective.defaults,
            rules: effective.rules,
        },
    }
}
