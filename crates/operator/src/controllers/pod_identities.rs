//! Whose each pod of a project is: its `PodIdentities`, which the API server's policies of connections read (R8).
//!
//! A pod is listed from when it is there until it is being deleted or has ended, under the stamp that it bears; one without
//! a stamp is nobody's and in no list. What is not listed is let into by nobody, so that a late or dead operator keeps
//! people out and lets no stranger in. A name that is taken over while it is still listed is the business of the policy
//! `reeve-connect-pods`.
//!
//! Every change of one pod writes the object of its namespace whole. So a pass that wrote waits before it ends; the changes
//! of that while go out in one write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{PodIdentities, PodIdentitiesSpec};
use reeve_kube_kit::{Change, Context, Controller, ObjectName, Queue, ReconcileError, Retry, WriteFailed};

use super::project::by_hand::is_bound;
use crate::cached::CachedPod;
use crate::caches::Caches;
use crate::namespace_locks::NamespaceLocks;
use crate::projects::Projects;
use crate::shared::Shared;

/// A pass that wrote holds its place for a moment, in which it does nothing.
const PARALLEL: usize = 64;
/// How long changes are collected after a write. Entries are promised within a second.
const COLLECT: Duration = Duration::from_millis(100);

/// The controller of `PodIdentities`, by namespace.
pub fn controller(shared: &Shared) -> Controller<String> {
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        namespaces: shared.namespaces.clone(),
    });
    Controller::new("identities", Queue::new(), PARALLEL, move |namespace| {
        reconciler.clone().reconcile(namespace)
    })
    .watches(&shared.caches.pods, pod_changed)
    // Somebody else removed it, or it was ours to make.
    .watches(&shared.caches.identities, |queue, change| {
        change.name().into_iter().for_each(|name| queue.add(name.namespace));
    })
    .hears(&shared.projects.became_usable, |queue, project| {
        queue.add(project.namespace.clone());
    })
}

fn pod_changed(queue: &Queue<String>, change: &Change<CachedPod>) {
    let of = |pod: &Option<Arc<CachedPod>>| pod.as_ref().and_then(|pod| stamp(pod).map(str::to_owned));
    if of(&change.old) != of(&change.new)
        && let Some(name) = change.name()
    {
        queue.add(name.namespace);
    }
}

/// The list could not be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct ListNotWritten(#[from] WriteFailed);

impl ReconcileError for ListNotWritten {
    fn reason(&self) -> &'static str {
        "WriteFailed"
    }

    fn retry(&self) -> Retry {
        if self.0.is_transient() {
            Retry::Backoff
        } else {
            Retry::After(Duration::from_secs(15))
        }
    }
}

/// Under which stamp a pod is listed; `None` for one that is in no list. Pure.
pub fn stamp(pod: &CachedPod) -> Option<&str> {
    let ends =
        pod.metadata.deletion_timestamp.is_some() || matches!(&*pod.status.phase, "Succeeded" | "Failed");
    pod.annotations()
        .get(names::RUNS_AS)
        .map(String::as_str)
        .filter(|stamp| !ends && !stamp.is_empty())
}

/// The list of a namespace. Pure.
pub fn build(namespace: &str, pods: &[Arc<CachedPod>]) -> PodIdentities {
    let mut runs_as: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pod in pods {
        if let Some(stamp) = stamp(pod) {
            runs_as.entry(stamp.to_owned()).or_default().push(pod.name_any());
        }
    }
    runs_as.values_mut().for_each(|pods| pods.sort());
    let mut identities = PodIdentities::new(names::POD_IDENTITIES, PodIdentitiesSpec { runs_as });
    identities.metadata.namespace = Some(namespace.to_owned());
    identities
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    namespaces: Arc<NamespaceLocks>,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>, namespace: String) -> Result<(), ListNotWritten> {
        let held = self.namespaces.write_into(&namespace).await;
        if !self.may_write(&namespace) {
            // Asked for again when the project becomes usable.
            return Ok(());
        }
        let desired = build(&namespace, &self.caches.pods.in_namespace(&namespace));
        let actual = self.caches.identities.get(&ObjectName::of(&desired));
        if actual.is_some_and(|actual| actual.spec == desired.spec) {
            return Ok(());
        }
        let api = Api::<PodIdentities>::namespaced(self.context.client.clone(), &namespace);
        self.context.writes.apply(&api, &desired).await?;
        drop(held);
        tokio::time::sleep(COLLECT).await;
        Ok(())
    }

    /// Whether the namespace is a valid project's, in which the operator has rights.
    fn may_write(&self, namespace: &str) -> bool {
        let is_project = self
            .projects
            .claims(namespace)
            .first()
            .is_some_and(|claim| claim.checked.is_ok());
        is_project && is_bound(&self.caches, namespace)
    }
}
