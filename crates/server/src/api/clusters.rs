//! Clusters (control-plane 3.1).

pub mod create;
pub mod delete;
pub mod get;
pub mod kubernetes_endpoint;
pub mod kubernetes_token;
pub mod list;
pub mod regenerate_secret;
pub mod set_lowest_id;
pub mod update;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::cluster::ClusterOperation;
use reeve_api::cluster::{Cluster, ClusterCondition, ClusterPlatform, ClusterState, ClusterStatus};
use reeve_authz::{Action, Entity, Granted, Scope, SubjectKey};
use reeve_store::{AuditAction, AuditEntry, ClusterRow, SubjectId, UserFacts};
use reeve_types::{ClusterId, Timestamp};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::cluster_streams::is_recent;
use crate::error::ApiError;
use crate::handler::to;

/// The handler of each operation.
pub(crate) fn route(operation: ClusterOperation) -> MethodRouter<Arc<App>> {
    use ClusterOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetClusters => to(row, list::handle),
        Op::CreateCluster => to(row, create::handle),
        Op::GetCluster => to(row, get::handle),
        Op::UpdateCluster => to(row, update::handle),
        Op::RegenerateClusterSecret => to(row, regenerate_secret::handle),
        Op::DeleteCluster => to(row, delete::handle),
        Op::CreateKubernetesToken => to(row, kubernetes_token::handle),
        Op::GetKubernetesEndpoint => to(row, kubernetes_endpoint::handle),
        Op::SetClusterLowestId => to(row, set_lowest_id::handle),
    }
}

/// The permission to change a cluster itself, and the event of the change.
///
/// # Errors
/// Those of authorization; 404 for a cluster of which the caller sees nothing.
fn may_change(
    app: &App,
    caller: &Caller,
    call: &Call,
    id: ClusterId,
) -> Result<(Granted, AuditEntry), ApiError> {
    let hidden = || ApiError::not_found("cluster", id);
    let granted = app.directory().allow(
        caller,
        Action::Update,
        Entity::Cluster,
        Scope::Cluster(id),
        Entity::Cluster,
        hidden,
    )?;
    let mut entry = call.entry(caller, &granted, AuditAction::Update);
    entry.cluster_id = Some(id);
    Ok((granted, entry))
}

/// A cluster as it is shown: whole, or to whom sees something in it only, its id and its name.
pub(super) fn to_wire(app: &App, row: ClusterRow) -> Cluster {
    let last_liveness = row.last_liveness.max(app.cluster_streams.last_heard(row.id));
    let conditions = conditions(&row, last_liveness.unwrap_or(row.created_at));
    let now = app.clock.now();
    // To another process, perhaps, which says so in the database.
    let connected = app.cluster_streams.is_connected(row.id, now)
        || row.last_liveness.is_some_and(|at| is_recent(at, now));
    let state = if connected {
        if conditions.is_empty() {
            ClusterState::Connected
        } else {
            ClusterState::ServiceIssues
        }
    } else if last_liveness.is_some() {
        ClusterState::Disconnected
    } else {
        ClusterState::WaitingToConnect
    };
    let platform = row.settings.as_ref().map(|settings| ClusterPlatform {
        kind: None,
        kube_version: Some(settings.kubernetes_version.clone()),
    });
    let status = ClusterStatus {
        state,
        conditions,
        platform,
    };
    Cluster {
        uuid: row.id,
        tenant_id: TENANT_ID,
        name: row.name.to_string(),
        created_at: row.created_at,
        domain: row.domain,
        version: row.version,
        status: (!row.name_only).then_some(status),
        updated_at: None,
        deleted_at: None,
        last_liveness: last_liveness.filter(|_| !row.name_only),
        delete_requested_at: None,
        lowest_id: (!row.name_only).then_some(row.lowest_id),
    }
}

/// What is wrong with a cluster, as far as it is known.
fn conditions(row: &ClusterRow, since: Timestamp) -> Vec<ClusterCondition> {
    let condition = |kind: &str, reason: &str, message: String| ClusterCondition {
        kind: kind.to_owned(),
        status: "False".to_owned(),
        reason: reason.to_owned(),
        message,
        last_transition_time: since,
    };
    let mut all = Vec::new();
    let alarms = row.settings.iter().flat_map(|settings| &settings.policy_alarms);
    let alarms: Vec<&str> = alarms.map(String::as_str).collect();
    if !alarms.is_empty() {
        let message = alarms.join("; ");
        all.push(condition("AdmissionPolicies", "MissingOrChanged", message));
    }
    if let (Some(served), Some(reported)) = (&row.endpoint, &row.reported_endpoint) {
        let differs = if served.server == reported.server {
            format!("another certificate authority for `{}`", reported.server)
        } else {
            format!("another address of its API server, `{}`", reported.server)
        };
        all.push(condition(
            "KubernetesEndpoint",
            "ReportedAnother",
            format!(
                "the operator, or somebody with its link secret, reports {differs}; people are still sent to `{}`. Find out \
                 which is right, and set that one with `reeve cluster set-endpoint {} --server URL --ca-file FILE`; if nobody \
                 moved the API server, replace the link secret with `reeve cluster new-secret {}`",
                served.server, row.id, row.id
            ),
        ));
    }
    all
}

/// The person who asks for what people need to reach a cluster's API server: anybody with a rule that gives something in the
/// cluster or in something of it. Service accounts have no identity there.
pub(super) fn person_reaching(app: &App, caller: &Caller, id: ClusterId) -> Result<UserFacts, ApiError> {
    if matches!(caller.principal.subject, SubjectKey::ServiceAccount(_)) {
        return Err(ApiError::Forbidden(
            "service accounts get no Kubernetes token: their workloads go through `POST /api/v1/workloads/trainings`".to_owned(),
        ));
    }
    let directory = app.directory();
    let index = directory.index();
    let reaches = index.reaches_cluster(&caller.principal, id);
    if !reaches && index.what_can(&caller.principal).is_empty() {
        return Err(ApiError::Forbidden(
            "no access rule reaches you: anybody with `access_rules:create` in a project of the cluster can make one".to_owned(),
        ));
    }
    if !reaches && index.has_rule_in_cluster(&caller.principal, id) {
        return Err(ApiError::Forbidden(
            "none of your roles gives anything in the cluster's namespaces: what they manage is here, in the control plane; \
             for workloads with Kubernetes' own tools ask for a role that runs or sees them"
                .to_owned(),
        ));
    }
    match caller.id {
        SubjectId::User(user) if reaches => directory.user(user).cloned(),
        _ => None,
    }
    .ok_or_else(|| ApiError::not_found("cluster", id))
}
