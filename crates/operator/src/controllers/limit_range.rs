//! The LimitRange of each project's namespace (the switch `limitRange`). Keyed by namespace.
//!
//! A pass: read what is there → `decide`, pure → write or remove the operator's own → say how the project stands. Somebody else's
//! LimitRange is never touched: where there is one the operator makes none of its own, since two would work against each other.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{Project, ReeveConfigSpec};
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::{Context, Controller, ObjectName, Queue, Readable, Registry, WriteFailed};
use reeve_kube_kit::{ReconcileError, Retry};
use reeve_tenancy::limits::Limits;
use reeve_tenancy::own_binding_name;
use reeve_types::{ErrorChain, Switch};

use super::project::cleanup::is_own;
use crate::caches::Caches;
use crate::limit_ranges::{LimitRanges, Outcome};
use crate::namespace_locks::NamespaceLocks;
use crate::projects::Projects;
use crate::rights::Right;
use crate::settings;
use crate::shared::Shared;

/// How many namespaces are worked on at once.
const PARALLEL: usize = 8;

/// The controller of LimitRanges, by namespace.
pub fn controller(shared: &Shared, registry: &mut Registry) -> Controller<String> {
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        namespaces: shared.namespaces.clone(),
        limits: shared.caches.limit_ranges.clone(),
    });
    let caches = shared.caches.clone();
    let switch = move || {
        let on = caches.settings().switches().is_on(Switch::LimitRange);
        caches.limit_ranges.switch(on || is_bound_anywhere(&caches));
    };
    let (first, of_bindings) = (switch.clone(), switch.clone());
    // Not before the settings are known.
    registry.add_task("limit-range-switch", async move {
        first();
        std::future::pending().await
    });
    let projects = || shared.projects.clone();
    let (of_settings, of_objects, of_quotas) = (projects(), projects(), projects());
    let limits = &shared.caches.limit_ranges;
    Controller::new("limit-range", Queue::new(), PARALLEL, move |namespace| {
        reconciler.clone().reconcile(namespace)
    })
    .watches(&shared.caches.configs, move |queue, change| {
        if settings::have_changed(change) {
            switch();
            of_settings.enqueue_all(queue);
        }
    })
    .watches(&limits.objects.cache, |queue, change| {
        change.name().into_iter().for_each(|it| queue.add(it.namespace));
    })
    .watches(&limits.quotas.cache, |queue, change| {
        change.name().into_iter().for_each(|it| queue.add(it.namespace));
    })
    .watches(&shared.caches.bindings, move |queue, change| {
        if let Some(own) = change.name().filter(|it| it.name == own_binding()) {
            of_bindings();
            queue.add(own.namespace);
        }
    })
    .hears(&limits.objects.changed, move |queue, ()| {
        of_objects.enqueue_all(queue)
    })
    .hears(&limits.quotas.changed, move |queue, ()| {
        of_quotas.enqueue_all(queue)
    })
    .hears(&shared.projects.became_usable, |queue, project| {
        queue.add(project.namespace.clone());
    })
}

/// The binding with which the operator writes LimitRanges in a namespace, where it makes it itself.
fn own_binding() -> String {
    own_binding_name(Some(Switch::LimitRange))
}

/// Whether the operator has given itself these rights in any namespace: as long as it has, something it made may be left.
fn is_bound_anywhere(caches: &Caches) -> bool {
    let bindings = caches.bindings.all();
    bindings
        .iter()
        .any(|binding| binding.name_any() == own_binding() && is_own(binding))
}

/// What is to be done in a namespace.
#[derive(Debug, PartialEq)]
pub enum Decision {
    /// This is to be there.
    Keep(Box<LimitRange>),
    /// What the operator made is to go.
    Remove(Option<Outcome>),
    /// All stays as it is, for a reason.
    Leave(Outcome),
}

fn no(reason: &'static str, message: String) -> Outcome {
    Outcome {
        holds: false,
        reason,
        message,
    }
}

fn without_right(to: &str) -> Outcome {
    let message = format!(
        "the operator is bound here and may not {to} the LimitRange: let the ClusterRole of its chart be as installed \
         (clusterConfig.project-controller.limitRange=true)"
    );
    no("NoRights", message)
}

/// Decides. Pure.
pub fn decide(
    settings: &ReeveConfigSpec,
    namespace: &str,
    others: &[String],
    quotas: &[Arc<ResourceQuota>],
) -> Decision {
    if !settings.switches().is_on(Switch::LimitRange) {
        return Decision::Remove(None);
    }
    if let Some(other) = others.first() {
        let message = format!(
            "the LimitRange `{other}` in `{namespace}` is not the operator's: it is left alone, and no other is made beside it; \
             for one by the settings of ReeveConfig: kubectl -n {namespace} delete limitrange {}",
            others.join(" ")
        );
        return Decision::Remove(Some(no("OtherLimitRange", message)));
    }
    let limits = match Limits::new(settings.limit_range.as_ref()) {
        Ok(limits) => limits,
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let message = format!("ReeveConfig: {}; the LimitRange stays as it was", all.join("; "));
            return Decision::Leave(no("InvalidSettings", message));
        }
    };
    let above = limits.above_quota(quotas.iter().map(|quota| &**quota));
    if let Some(first) = above.first() {
        let message = format!("ReeveConfig: {first}; the LimitRange stays as it was");
        return Decision::Leave(no("AboveQuota", message));
    }
    Decision::Keep(Box::new(limits.limit_range(namespace)))
}

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the LimitRange of the namespace `{namespace}`")]
pub struct LimitRangeError {
    namespace: String,
    source: WriteFailed,
}

impl ReconcileError for LimitRangeError {
    fn reason(&self) -> &'static str {
        "LimitRangeNotWritten"
    }

    /// Also a refusal is tried again: the API server's authorizer learns of a new binding a little later.
    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    namespaces: Arc<NamespaceLocks>,
    limits: Arc<LimitRanges>,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>, namespace: String) -> Result<(), LimitRangeError> {
        let _held = self.namespaces.write_into(&namespace).await;
        let first = self.projects.claims(&namespace).into_iter().next();
        let checked = first.and_then(|claim| claim.checked.ok());
        let Some(project) =
            checked.filter(|it| self.projects.usable(it.id).is_some_and(|it| it == namespace))
        else {
            return Ok(());
        };
        let settings = self.caches.settings();
        for state in [self.limits.objects.state(), self.limits.quotas.state()] {
            match state {
                Readable::Complete => {}
                Readable::Waiting => return Ok(()),
                Readable::Unwanted => {
                    self.limits.record(&namespace, None);
                    return Ok(());
                }
                Readable::Refused(why) => {
                    let message = format!(
                        "the operator may not read LimitRanges and ResourceQuotas ({why}): install the chart with \
                         clusterConfig.project-controller.limitRange=true, or switch it off in ReeveConfig too"
                    );
                    self.conclude(project.name.as_str(), &namespace, Some(no("NoRights", message)))
                        .await;
                    return Ok(());
                }
            }
        }
        let quotas = self.limits.quotas.cache.in_namespace(&namespace);
        let (ours, others) = self.limits.in_namespace(&namespace);
        let decision = decide(&settings, &namespace, &others, &quotas);
        let binds_itself = settings.switches().is_on(Switch::UserAssignment);
        if binds_itself && !self.is_bound(&namespace) {
            // The pass over the project makes the binding, and that wakes this one.
            return Ok(());
        }
        let outcome = self.apply(&namespace, ours, decision, binds_itself).await;
        let (said, result) = match outcome {
            Ok(outcome) => (outcome, Ok(())),
            Err(source) => {
                let said = no(
                    "NotWritten",
                    format!("{}: {}", source, ErrorChain(&source.source)),
                );
                let namespace = namespace.clone();
                (Some(said), Err(LimitRangeError { namespace, source }))
            }
        };
        self.conclude(project.name.as_str(), &namespace, said).await;
        result
    }

    /// Whether the operator's own binding for LimitRanges is there.
    fn is_bound(&self, namespace: &str) -> bool {
        let name = ObjectName::namespaced(namespace, own_binding());
        self.caches.bindings.get(&name).is_some()
    }

    /// `binds_itself`: whether the right to write comes, and goes, by a binding of the operator's own.
    async fn apply(
        &self,
        namespace: &str,
        ours: Option<Arc<LimitRange>>,
        decision: Decision,
        binds_itself: bool,
    ) -> Result<Option<Outcome>, WriteFailed> {
        let api = Api::<LimitRange>::namespaced(self.context.client.clone(), namespace);
        let right = |verb| Right {
            verb,
            group: "",
            resource: "limitranges",
            namespace,
            name: Some(names::LIMIT_RANGE),
        };
        match decision {
            Decision::Leave(outcome) => Ok(Some(outcome)),
            Decision::Remove(outcome) => {
                if let Some(ours) = ours {
                    // Where it is gone already, and the right to remove it with it, the cache says so in a moment.
                    if binds_itself && !right("delete").comes(&self.context).await? {
                        let left = self.limits.in_namespace(namespace).0;
                        return Ok(outcome.or_else(|| left.map(|_| without_right("remove"))));
                    }
                    let name = ObjectName::of(&*ours);
                    self.context.writes.delete(&api, &name, None).await?;
                    tracing::info!(namespace, "LimitRange removed");
                }
                Ok(outcome)
            }
            Decision::Keep(wanted) => {
                if !ours.is_some_and(|ours| ours.spec == wanted.spec) {
                    if binds_itself && !right("patch").comes(&self.context).await? {
                        return Ok(Some(without_right("write")));
                    }
                    self.context.writes.apply(&api, &*wanted).await?;
                    tracing::info!(namespace, "LimitRange written");
                }
                Ok(Some(Outcome {
                    holds: true,
                    reason: "Applied",
                    message: String::new(),
                }))
            }
        }
    }

    /// Says how the project stands: its own controller writes that into its status; what is in the way is an event too.
    async fn conclude(&self, project: &str, namespace: &str, outcome: Option<Outcome>) {
        let news = self.limits.record(namespace, outcome.clone());
        let object: Option<Arc<Project>> = self.caches.projects.get(&ObjectName::cluster(project));
        if let (true, Some(object), Some(outcome)) = (news, object, outcome.filter(|it| !it.holds)) {
            let note = EventNote {
                warning: true,
                reason: outcome.reason,
                note: &outcome.message,
            };
            self.context
                .events
                .publish(&*object, "KeepLimitRange", &note)
                .await;
        }
    }
}
