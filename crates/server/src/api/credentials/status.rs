//! How far a credential has come in the clusters that its scope reaches.

use std::collections::BTreeMap;

use reeve_api::access_rule::ScopeType;
use reeve_api::credential::{AssetIssue, AssetIssueKind, AssetPhase, AssetStatus};
use reeve_authz::Scope;
use reeve_link::StatusPhase;
use reeve_store::{CredentialAssetRow, StatusRow};
use reeve_types::ClusterId;

use crate::directory::Directory;

/// What the clusters say, in one: `None` for a credential that no cluster is to have.
pub(super) fn of(row: &CredentialAssetRow, directory: &Directory) -> Option<AssetStatus> {
    let said: BTreeMap<ClusterId, &StatusRow> = row.statuses.iter().map(|(id, it)| (*id, it)).collect();
    let mut clusters: Vec<ClusterId> = match row.origin.scope {
        Scope::Account => directory.clusters().map(|cluster| cluster.id).collect(),
        scope => directory.cluster_of(scope).into_iter().collect(),
    };
    clusters.sort_unstable();
    if clusters.is_empty() {
        return None;
    }
    let (mut issues, mut messages, mut waits) = (Vec::new(), Vec::new(), false);
    for cluster in clusters {
        let name = directory.short_name(Scope::Cluster(cluster));
        let issue = |issue| AssetIssue {
            scope_id: cluster.to_string(),
            scope_type: ScopeType::Cluster,
            issue,
        };
        match said.get(&cluster) {
            Some(status) if status.phase == StatusPhase::Ready => {
                messages.push(format!("{name}: {}", status.message));
            }
            Some(status) if matches!(status.phase, StatusPhase::NotReady | StatusPhase::Failed) => {
                issues.push(issue(AssetIssueKind::ReplicationError));
                messages.push(format!("{name}: {}", status.message));
            }
            _ => {
                waits = true;
                issues.push(issue(AssetIssueKind::NotCreated));
                messages.push(format!("{name}: not taken up yet"));
            }
        }
    }
    let failed = issues
        .iter()
        .any(|it| it.issue == AssetIssueKind::ReplicationError);
    let status = match (failed, waits) {
        (true, _) => AssetPhase::IssuesFound,
        (false, true) => AssetPhase::Creating,
        (false, false) => AssetPhase::NoIssuesFound,
    };
    Some(AssetStatus {
        status,
        issues,
        message: messages.join("; "),
    })
}
