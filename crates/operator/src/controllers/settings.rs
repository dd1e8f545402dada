//! The status of the cluster's settings. The settings themselves are labels of every project's namespace, which the passes
//! over projects write. A cluster that was deleted on the control plane says so here: in the status, as an event and as a
//! metric, also without a `ReeveConfig`.

pub mod cluster_config;

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use reeve_crds::{CONFIG_NAME, ReeveConfig, ReeveConfigSpec, ReeveConfigStatus};
use reeve_kube_kit::condition::{self, ConditionUpdate};
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::write::StatusNotWritten;
use reeve_kube_kit::{Context, Controller, ObjectName, Queue};
use reeve_link::Issue;
use reeve_tenancy::limits::Limits;
use reeve_types::{ReservedNamespaces, Switch, Timestamp};

use super::project::lags;
use super::project::validate::may_be_made;
use crate::caches::Caches;
use crate::cluster::ClusterState;
use crate::cluster_configs::Demanded;
use crate::projects::Projects;
use crate::settings::{IDENTITY_BOUNDARY, identity_boundary};
use crate::shared::Shared;
use crate::status_outbox::StatusOutbox;

/// The condition of a cluster that was deleted on the control plane. It is there only while that holds.
pub const DELETED: &str = "DeletedOnControlPlane";
/// The condition that says what is wrong with the section `limitRange`. It is there only while something is.
pub const LIMITS_VALID: &str = "LimitRangeValid";
const DELETED_MESSAGE: &str = "the control plane says that this cluster was deleted there: nobody has rights by its access rules \
     any more; the namespaces and what runs in them stay. To use the cluster again create it on the control plane and give \
     this operator the new `--cluster-id` and secret";
const NOT_DELETED_MESSAGE: &str = "no control plane says any more that this cluster was deleted there";

/// The controller of the settings' status, and of what the control plane is told of the cluster.
pub fn controller(shared: &Shared, metrics: &mut Metrics) -> Controller<()> {
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        cluster: shared.cluster.clone(),
        outbox: shared.outbox.clone(),
        reserved: shared.reserved.clone(),
        gauges: Gauges::register(metrics),
    });
    let projects = shared.projects.clone();
    Controller::new("config", Queue::new(), 1, move |()| {
        reconciler.clone().reconcile()
    })
    .watches(&shared.caches.configs, |queue, _| queue.add(()))
    .watches(&shared.caches.namespaces, move |queue, change| {
        if projects.concerns(change) {
            queue.add(());
        }
    })
    .hears(&shared.cluster.changed, |queue, ()| queue.add(()))
    .hears(&shared.caches.cluster_configs.changed, |queue, ()| queue.add(()))
}

/// What is shown to whoever watches the operator.
struct Gauges {
    deleted: Gauge,
    identity_boundary: Gauge,
}

impl Gauges {
    fn register(metrics: &mut Metrics) -> Self {
        let (deleted, identity_boundary) = (Gauge::default(), Gauge::default());
        metrics.register(
            "reeve_cluster_deleted",
            "1 while the control plane says that this cluster was deleted there",
            deleted.clone(),
        );
        metrics.register(
            "reeve_identity_boundary",
            "1 while no container of a project can become somebody else than the person it runs as",
            identity_boundary.clone(),
        );
        Self {
            deleted,
            identity_boundary,
        }
    }
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    cluster: Arc<ClusterState>,
    outbox: Arc<StatusOutbox>,
    reserved: ReservedNamespaces,
    gauges: Gauges,
}

/// Everything a pass found out.
struct Findings {
    settings: ReeveConfigSpec,
    /// The namespaces of valid projects that do not have the settings yet, by name.
    behind: Vec<String>,
    alarms: Vec<String>,
    deleted: Option<bool>,
    demanded: Demanded,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>) -> Result<(), StatusNotWritten> {
        let settings = self.caches.settings();
        let demanded = self.caches.cluster_configs.demanded();
        self.cluster.set_issues(issues(&settings, &demanded));
        self.outbox.set_settings(self.cluster.settings());
        let (holds, ..) = identity_boundary(&settings);
        self.gauges.identity_boundary.set(i64::from(holds));
        let config = self.caches.config();
        self.announce_deletion(config.as_deref()).await;
        cluster_config::announce(&self.context, config.as_deref(), &demanded).await;
        let Some(config) = config else {
            return Ok(());
        };
        let findings = Findings {
            behind: self.behind(&settings),
            alarms: self.cluster.alarms(),
            deleted: self.cluster.deleted(),
            demanded,
            settings,
        };
        let status = status(&config, &findings, self.context.clock.now());
        let api = Api::all(self.context.client.clone());
        self.context.writes.report(&api, &*config, &status).await?;
        Ok(())
    }

    fn behind(&self, settings: &ReeveConfigSpec) -> Vec<String> {
        let makes = settings.switches().is_on(Switch::NamespaceCreation);
        let is_behind = |namespace: &String| {
            let first = self.projects.claims(namespace).into_iter().next();
            let object = self
                .caches
                .namespaces
                .get(&ObjectName::cluster(namespace.clone()));
            first
                .and_then(|claim| claim.checked.ok())
                .filter(|project| object.is_some() || makes && may_be_made(project, &self.reserved).is_ok())
                .is_some_and(|project| lags(&project, object.as_deref(), &self.caches.settings_in(namespace)))
        };
        let namespaces = self.projects.index().namespaces();
        let mut behind: Vec<String> = namespaces.into_iter().filter(is_behind).collect();
        behind.sort();
        behind
    }

    /// Publishes an event when the cluster is found deleted on the control plane, and when it is there again. Without a
    /// `ReeveConfig` the event is about the one that could be.
    async fn announce_deletion(&self, config: Option<&ReeveConfig>) {
        let Some(deleted) = self.cluster.deleted() else {
            return;
        };
        // An earlier process said that it is deleted, and the condition still does.
        let said = config
            .and_then(|config| config.status.as_ref())
            .is_some_and(|status| status.conditions.iter().any(|it| it.type_ == DELETED));
        let before = self.gauges.deleted.set(i64::from(deleted)) == 1 || said;
        if deleted == before {
            return;
        }
        let (reason, note) = if deleted {
            ("ClusterDeleted", DELETED_MESSAGE)
        } else {
            ("ClusterNotDeleted", NOT_DELETED_MESSAGE)
        };
        let note = EventNote {
            warning: deleted,
            reason,
            note,
        };
        let stand_in = ReeveConfig::new(CONFIG_NAME, ReeveConfigSpec::default());
        let about = config.unwrap_or(&stand_in);
        self.context
            .events
            .publish(about, "WatchControlPlane", &note)
            .await;
    }
}

/// What is wrong with the section `limitRange`; empty when nothing is. Pure.
fn invalid_limits(settings: &ReeveConfigSpec) -> String {
    let problems = Limits::new(settings.limit_range.as_ref())
        .err()
        .unwrap_or_default();
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// What the control plane is told of the settings: what in them cannot be meant so. Pure.
fn issues(settings: &ReeveConfigSpec, demanded: &Demanded) -> Vec<Issue> {
    let issue = |kind: &str, reason: &str, message: String| Issue {
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        message,
    };
    let mut all = Vec::new();
    let invalid = invalid_limits(settings);
    if !invalid.is_empty() {
        all.push(issue(LIMITS_VALID, "InvalidSettings", invalid));
    }
    if let Some((false, reason, message)) = cluster_config::condition(demanded) {
        all.push(issue(cluster_config::VALID, reason, message));
    }
    all
}

/// The status that says what was found. Pure.
fn status(config: &ReeveConfig, found: &Findings, now: Timestamp) -> ReeveConfigStatus {
    let mut status = config.status.clone().unwrap_or_default();
    status.observed_generation = config.metadata.generation;
    let cluster_config = cluster_config::condition(&found.demanded);
    if cluster_config.is_none() {
        status.conditions.retain(|it| it.type_ != cluster_config::VALID);
    }
    let invalid = invalid_limits(&found.settings);
    if invalid.is_empty() {
        status.conditions.retain(|it| it.type_ != LIMITS_VALID);
    }
    let mut say = |type_, holds, reason, message: &str| {
        let update = ConditionUpdate {
            type_,
            status: Some(holds),
            reason,
            message,
            generation: config.metadata.generation,
        };
        condition::set(&mut status.conditions, &update, now);
    };
    match found.behind.first() {
        None => say("Ready", true, "Applied", ""),
        Some(first) => {
            let number = found.behind.len();
            let message = format!("{number} namespaces do not have the settings yet, the first is `{first}`");
            say("Ready", false, "NamespacesBehind", &message);
        }
    }
    if found.alarms.is_empty() {
        say("PoliciesIntact", true, "Intact", "");
    } else {
        say("PoliciesIntact", false, "Changed", &found.alarms.join("; "));
    }
    let (holds, reason, why) = identity_boundary(&found.settings);
    say(IDENTITY_BOUNDARY, holds, reason, why);
    if !invalid.is_empty() {
        say(LIMITS_VALID, false, "InvalidSettings", &invalid);
    }
    if let Some((holds, reason, message)) = cluster_config {
        say(cluster_config::VALID, holds, reason, &message);
    }
    match found.deleted {
        Some(true) => say(DELETED, true, "ClusterDeleted", DELETED_MESSAGE),
        Some(false) => status
            .conditions
            .retain(|condition: &Condition| condition.type_ != DELETED),
        // The link has not been told yet: what an earlier process was told stands.
        None => {}
    }
    status
}
