//! How far a rule has come in the clusters it reaches (control-plane 2.4).

use std::collections::BTreeMap;

use reeve_api::access_rule::{AccessRulePhase, AccessRuleStatus};
use reeve_authz::{Scope, SubjectKey};
use reeve_link::StatusPhase;
use reeve_store::{AccessRuleRow, StatusRow};
use reeve_types::ClusterId;

use crate::directory::Directory;

/// What the clusters say of a rule, in one: the worst wins. One that has said nothing yet is at `Creating`. `None` for a rule
/// that no cluster is to have.
pub(super) fn of(row: &AccessRuleRow, directory: &Directory) -> Option<AccessRuleStatus> {
    let said: BTreeMap<ClusterId, &StatusRow> =
        row.statuses.iter().map(|(id, status)| (*id, status)).collect();
    let reached = reached(row, directory);
    let silent: Vec<_> = reached.into_iter().filter(|id| !said.contains_key(id)).collect();
    if said.is_empty() && silent.is_empty() {
        return None;
    }
    let mut phases: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut messages = Vec::new();
    let mut phase = AccessRulePhase::Ready;
    for (cluster, status) in said {
        let here = of_cluster(status.phase);
        phase = worse(phase, here);
        phases.entry(here.as_str()).or_default().push(cluster.to_string());
        if !status.message.is_empty() {
            messages.push(status.message.clone());
        }
    }
    if !silent.is_empty() {
        phase = worse(phase, AccessRulePhase::Creating);
        let clusters = phases.entry(AccessRulePhase::Creating.as_str()).or_default();
        clusters.extend(silent.iter().map(ToString::to_string));
        messages.push("not every cluster it reaches has taken it up yet".to_owned());
    }
    let details: Vec<_> = phases
        .into_iter()
        .map(|(phase, clusters)| format!("{phase}: [{}]", clusters.join(", ")))
        .collect();
    Some(AccessRuleStatus {
        phase,
        message: messages.join("; "),
        details: Some(details.join("; ")),
    })
}

/// The clusters that are to have a rule: none has a deleted one, or one of a service account that is disabled.
fn reached(row: &AccessRuleRow, directory: &Directory) -> Vec<ClusterId> {
    let in_effect = row.deleted_at.is_none()
        && match &row.subject {
            SubjectKey::ServiceAccount(name) => directory.service_account_enabled(name),
            SubjectKey::User(_) | SubjectKey::Group(_) => true,
        };
    match row.scope {
        _ if !in_effect => Vec::new(),
        Scope::Account => {
            let mut all: Vec<_> = directory.clusters().map(|cluster| cluster.id).collect();
            all.sort_unstable();
            all
        }
        scope => directory.cluster_of(scope).into_iter().collect(),
    }
}

const fn of_cluster(phase: StatusPhase) -> AccessRulePhase {
    match phase {
        StatusPhase::Ready => AccessRulePhase::Ready,
        StatusPhase::NotReady | StatusPhase::Failed => AccessRulePhase::NotReady,
        StatusPhase::Deleting => AccessRulePhase::Deleting,
        StatusPhase::Creating
        | StatusPhase::Deleted
        | StatusPhase::Pending
        | StatusPhase::Running
        | StatusPhase::Completed => AccessRulePhase::Creating,
    }
}

/// `NotReady` before `Deleting` before `Creating` before `Ready`.
fn worse(one: AccessRulePhase, other: AccessRulePhase) -> AccessRulePhase {
    let rank = |phase| match phase {
        AccessRulePhase::Ready => 0,
        AccessRulePhase::Creating => 1,
        AccessRulePhase::Deleting => 2,
        AccessRulePhase::NotReady => 3,
    };
    if rank(other) > rank(one) { other } else { one }
}
