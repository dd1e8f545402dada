//! Clusters (control-plane 3.1).

pub mod create;
pub mod delete;
pub mod get;
pub mod install_file;
pub mod install_info;
pub mod kubernetes_endpoint;
pub mod kubernetes_token;
pub mod list;
mod refusal;
pub mod regenerate_secret;
pub mod rename;
pub mod set_lowest_id;
pub(crate) mod state;
pub mod update;
pub mod withdraw_secret;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::TENANT_ID;
use reeve_api::cluster::Cluster;
use reeve_api::cluster::ClusterOperation;
use reeve_authz::{Action, Entity, Granted, Scope, SubjectKey};
use reeve_store::{AuditAction, AuditEntry, ClusterRow, SubjectId, UserFacts};
use reeve_types::ClusterId;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;
use crate::handler::to;

use refusal::ClusterRefusal;
use state::Standing;

/// The handler of each operation.
pub(crate) fn route(operation: ClusterOperation) -> MethodRouter<Arc<App>> {
    use ClusterOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetClusters => to(row, list::handle),
        Op::CreateCluster => to(row, create::handle),
        Op::GetCluster => to(row, get::handle),
        Op::RenameCluster => to(row, rename::handle),
        Op::UpdateCluster => to(row, update::handle),
        Op::RegenerateClusterSecret => to(row, regenerate_secret::handle),
        Op::WithdrawClusterSecret => to(row, withdraw_secret::handle),
        Op::GetClusterInstallInfo => to(row, install_info::handle),
        Op::GetInstallFile => to(row, install_file::handle),
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
    let standing = Standing {
        now: app.clock.now(),
        server_started: app.started_at,
        heard: row.last_liveness.max(app.cluster_streams.last_heard(row.id)),
        streams: app.cluster_streams.is_listening(row.id),
    };
    let last_liveness = standing.heard;
    let status = state::status(&row, &standing);
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

/// The person who asks for what people need to reach a cluster's API server: anybody with a rule that gives something in the
/// cluster or in something of it. Service accounts have no identity there.
pub(super) fn person_reaching(app: &App, caller: &Caller, id: ClusterId) -> Result<UserFacts, ApiError> {
    if matches!(caller.principal.subject, SubjectKey::ServiceAccount(_)) {
        return Err(ClusterRefusal::ServiceAccount.into());
    }
    let directory = app.directory();
    let index = directory.index();
    let reaches = index.reaches_cluster(&caller.principal, id);
    if !reaches && index.what_can(&caller.principal).is_empty() {
        return Err(ClusterRefusal::NoRule.into());
    }
    if !reaches && index.has_rule_in_cluster(&caller.principal, id) {
        return Err(ClusterRefusal::NothingInNamespaces.into());
    }
    match caller.id {
        SubjectId::User(user) if reaches => directory.user(user).cloned(),
        _ => None,
    }
    .ok_or_else(|| ApiError::not_found("cluster", id))
}
