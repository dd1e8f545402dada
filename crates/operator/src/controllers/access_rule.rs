//! An access rule's status: effective when every project it reaches has its binding. It writes no binding itself.

use std::sync::Arc;

use kube::Api;
use reeve_crds::convert::access_rule_name;
use reeve_crds::{AccessRule, AccessRuleStatus, Phase};
use reeve_kube_kit::condition::Outcome;
use reeve_kube_kit::ready_status;
use reeve_kube_kit::write::StatusNotWritten;
use reeve_kube_kit::{Change, Context, Controller, ObjectName, Queue};
use reeve_link::ObjectKey;
use reeve_tenancy::{Switch, Switches, people};
use reeve_types::{AccessRuleId, Timestamp};

use crate::caches::Caches;
use crate::project_index::{ProjectIndex, RuleProgress};
use crate::projects::Projects;
use crate::settings;
use crate::shared::Shared;
use crate::status_outbox::StatusOutbox;

/// What a rule says while nobody is bound by it.
const BY_HAND: &str = "automatic user assignment is off in this cluster (project-controller.createRoleBindings): access rules bind \
     nobody; the cluster's installers bind people by hand, `reeve cluster bindings NAMESPACE` prints what they apply";

/// How many statuses are written at once.
const PARALLEL: usize = 8;

/// The controller of access rules.
pub fn controller(shared: &Shared) -> Controller<AccessRuleId> {
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        outbox: shared.outbox.clone(),
    });
    let all = shared.caches.clone();
    Controller::new("rule", Queue::new(), PARALLEL, move |id| {
        reconciler.clone().reconcile(id)
    })
    .watches(&shared.caches.rules, changed)
    .watches(&shared.caches.configs, move |queue, change| {
        if settings::have_changed(change) {
            all.rules
                .all()
                .iter()
                .for_each(|rule| ids(rule).for_each(|id| queue.add(id)));
        }
    })
    .hears(&shared.projects.progressed, |queue, rule| queue.add(*rule))
}

fn changed(queue: &Queue<AccessRuleId>, change: &Change<AccessRule>) {
    if let (Some(old), Some(new)) = (&change.old, &change.new)
        && old.spec == new.spec
    {
        return;
    }
    let new = change.new.iter();
    new.for_each(|rule| ids(rule).for_each(|id| queue.add(id)));
}

/// The id of a rule, if it has one.
fn ids(rule: &AccessRule) -> impl Iterator<Item = AccessRuleId> {
    AccessRuleId::new(rule.spec.id).into_iter()
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    outbox: Arc<StatusOutbox>,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>, id: AccessRuleId) -> Result<(), StatusNotWritten> {
        let Some(rule) = self.caches.rules.get(&ObjectName::cluster(access_rule_name(id))) else {
            return Ok(());
        };
        let judged = judge(&rule, self.caches.switches(), &self.projects.index());
        // On its way: the pass over its project asks for the next. Nothing is written of that, neither at first nor after a
        // restart, when what was said still holds.
        let is_on_its_way = judged.phase == Phase::Creating;
        let said_of = rule.status.as_ref().map(|status| status.observed_generation);
        if !is_on_its_way || said_of != Some(rule.metadata.generation) {
            self.outbox
                .set(ObjectKey::AccessRule(id), judged.phase.into(), &judged.message);
        }
        if is_on_its_way {
            return Ok(());
        }
        let status = status(&rule, &judged, self.context.clock.now());
        let api = Api::all(self.context.client.clone());
        self.context.writes.report(&api, &*rule, &status).await?;
        Ok(())
    }
}

/// How a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Its phase.
    pub phase: Phase,
    /// Why, one CamelCase word.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

/// How a rule stands. Pure.
pub fn judge(rule: &AccessRule, switches: Switches, index: &ProjectIndex) -> Judgement {
    let judged = |phase, reason, message| Judgement {
        phase,
        reason,
        message,
    };
    let checked = match rule.checked() {
        Ok(checked) => checked,
        Err(invalid) => return judged(Phase::NotReady, "Invalid", invalid.to_string()),
    };
    if checked.role.is_none() {
        let message = "the role gives nothing in a cluster".to_owned();
        return judged(Phase::Ready, "NothingInClusters", message);
    }
    if people::cluster_role(&checked.role).is_none() {
        let message = format!(
            "role `{}` has no ClusterRole in this cluster: upgrade its chart, or choose another role",
            checked.role
        );
        return judged(Phase::NotReady, "UnknownRole", message);
    }
    if !switches.is_on(Switch::UserAssignment) {
        return judged(Phase::NotReady, "BoundByHand", BY_HAND.to_owned());
    }
    match index.progress(&checked) {
        RuleProgress::Effective => judged(Phase::Ready, "Effective", String::new()),
        RuleProgress::Waits(project) => {
            let message = format!("project `{project}` is being brought up to date");
            judged(Phase::Creating, "Binding", message)
        }
        RuleProgress::Blocked(project, problem) => {
            let message = format!("project `{project}`: {problem}");
            judged(Phase::NotReady, "ProjectNotReady", message)
        }
    }
}

fn status(rule: &AccessRule, judged: &Judgement, now: Timestamp) -> AccessRuleStatus {
    let mut status = rule.status.clone().unwrap_or_default();
    let outcome = Outcome {
        phase: judged.phase,
        ready: judged.phase == Phase::Ready,
        reason: judged.reason,
        message: &judged.message,
        generation: rule.metadata.generation,
    };
    ready_status!(status).set(outcome, now);
    status
}
