//! How a cluster stands: its state, since when, and what is wrong with it. Pure.
//!
//! | state | when |
//! |---|---|
//! | `WaitingToConnect` | its operator was never heard |
//! | `Connected` | a stream is open, or it was heard within the last [`reeve_store::CONNECTED_SECONDS`] |
//! | `MissingPrerequisites` | connected, and something that it has to have is not there |
//! | `ServiceIssues` | connected, and something else is wrong |
//! | `Disconnected` | it was heard once, and not within the last [`reeve_store::CONNECTED_SECONDS`] |
//! | `Unknown` | it has not been heard since the control plane started, less than [`UNKNOWN_SECONDS`] ago; or it was heard in the future |

use reeve_api::cluster::{
    ClusterCondition, ClusterDependencies, ClusterDependency, ClusterPlatform, ClusterState, ClusterStatus,
};
use reeve_link::Dependency;
use reeve_store::{ClusterRow, REPORTED_ENDPOINT};
use reeve_types::Timestamp;

use crate::cluster_streams::is_recent;

/// For how long after its start a control plane does not say of a cluster that it is disconnected, in seconds: an operator that lost its
/// stream by the restart is back within some seconds.
pub(crate) const UNKNOWN_SECONDS: i64 = 60;

/// What is known of a cluster's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// The time.
    pub(crate) now: Timestamp,
    /// When this process of the control plane started.
    pub(crate) server_started: Timestamp,
    /// When the operator was last heard, by this process or another.
    pub(crate) heard: Option<Timestamp>,
    /// Whether a stream is open to this process.
    pub(crate) streams: bool,
}

/// How the cluster stands.
pub(crate) fn status(row: &ClusterRow, standing: &Standing) -> ClusterStatus {
    let conditions = conditions(row);
    let (state, since, reason, message) = state(row, standing, &conditions);
    let platform = row.settings.as_ref().map(|settings| ClusterPlatform {
        kind: None,
        kube_version: Some(settings.kubernetes_version.clone()),
    });
    ClusterStatus {
        state,
        state_since: since,
        state_reason: reason.to_owned(),
        state_message: message,
        conditions,
        platform,
        dependencies: row
            .settings
            .as_ref()
            .map(|settings| dependencies(&settings.dependencies)),
    }
}

type State = (ClusterState, Timestamp, &'static str, String);

fn state(row: &ClusterRow, standing: &Standing, conditions: &[ClusterCondition]) -> State {
    let now = standing.now;
    if standing.streams || standing.heard.is_some_and(|heard| is_recent(heard, now)) {
        return connected(row, standing, conditions);
    }
    let Some(heard) = standing.heard else {
        let message = format!(
            "its operator has never connected: `reeve cluster install-info {}` prints how it is installed; if it is, its log says what \
             keeps it from this control plane",
            row.id
        );
        return (
            ClusterState::WaitingToConnect,
            row.created_at,
            "NeverConnected",
            message,
        );
    };
    if heard > now {
        let message = "its operator was last heard at a time that is still to come: the clock of the control plane, or of another \
                       process of it, is wrong or went back";
        return (ClusterState::Unknown, now, "ClockWentBack", message.to_owned());
    }
    if standing.server_started.plus_seconds(UNKNOWN_SECONDS) > now {
        let message = format!(
            "this control plane started a moment ago and has not heard of the operator yet: it counts as disconnected after \
             {UNKNOWN_SECONDS} s"
        );
        return (
            ClusterState::Unknown,
            standing.server_started.max(heard),
            "ControlPlaneStarted",
            message,
        );
    }
    let message = "its operator is not connected: what was decided here since is not in effect there yet, and what is shown of its \
                   projects and workloads is as it was then. What runs there goes on, under the rights of then. Look whether the \
                   operator runs, whether it reaches the control plane over HTTPS, and at both clocks"
        .to_owned();
    (ClusterState::Disconnected, heard, "NotHeard", message)
}

fn connected(row: &ClusterRow, standing: &Standing, conditions: &[ClusterCondition]) -> State {
    let connected = row.connected_since.or(standing.heard).unwrap_or(standing.now);
    let is_missing = |it: &&ClusterCondition| it.kind.starts_with("Prerequisite/");
    let missing: Vec<_> = conditions.iter().filter(is_missing).collect();
    let (state, reason, wrong) = if !missing.is_empty() {
        (ClusterState::MissingPrerequisites, "PrerequisiteMissing", missing)
    } else if conditions.is_empty() {
        return (ClusterState::Connected, connected, "Connected", String::new());
    } else {
        (
            ClusterState::ServiceIssues,
            "ConditionsFalse",
            conditions.iter().collect(),
        )
    };
    let first = wrong.iter().map(|it| it.last_transition_time).min();
    let messages: Vec<_> = wrong.iter().map(|it| it.message.as_str()).collect();
    let since = first.map_or(connected, |first| first.max(connected));
    (state, since, reason, messages.join("; "))
}

fn dependencies(all: &[Dependency]) -> ClusterDependencies {
    let of = |required: bool| {
        let those = all.iter().filter(|it| it.required == required);
        let shown = those.map(|it| {
            let dependency = ClusterDependency {
                available: it.available,
                reason: it.reason.clone(),
            };
            (it.name.clone(), dependency)
        });
        shown.collect()
    };
    ClusterDependencies {
        required: of(true),
        optional: of(false),
    }
}

/// What is wrong with a cluster, as far as it is known.
fn conditions(row: &ClusterRow) -> Vec<ClusterCondition> {
    let condition = |kind: String, reason: String, message: String| ClusterCondition {
        last_transition_time: row
            .wrong_since
            .get(&kind)
            .copied()
            .or(row.last_liveness)
            .unwrap_or(row.created_at),
        kind,
        status: "False".to_owned(),
        reason,
        message,
    };
    let told = row.settings.iter().flat_map(|settings| settings.wrong());
    let mut all: Vec<_> = told
        .map(|issue| condition(issue.kind, issue.reason, issue.message))
        .collect();
    if let (Some(served), Some(reported)) = (&row.endpoint, &row.reported_endpoint) {
        let differs = if served.server == reported.server {
            format!("another certificate authority for `{}`", reported.server)
        } else {
            format!("another address of its API server, `{}`", reported.server)
        };
        all.push(condition(
            REPORTED_ENDPOINT.to_owned(),
            "ReportedAnother".to_owned(),
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
