//! Workload → Job, and the Job's state back.
//!
//! A pass: [`Dereferenced`] is what it reads → [`decide`](decide::decide) validates and builds → `make` creates the Job →
//! `status` says what was done, or what is in the way.
//!
//! A Job is made once. One that is gone is not made again: running somebody's work twice is worse than saying that it
//! was deleted. Deletion needs no pass: the Job is owned by the `Workload` and the garbage collector removes it.

mod decide;
mod error;
pub mod observe;
mod podless;
mod secrets;
mod status;

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use reeve_admission::names;
use reeve_crds::{Phase, Workload};
use reeve_kube_kit::{Change, Context, Controller, ObjectName, Queue, WriteFailed};
use reeve_workload::WORKLOAD_LABEL;
use tokio::time::Instant;

pub use decide::{Dereferenced, Step, decide};
pub use error::WorkloadError;
pub use observe::Observed;

use self::podless::Podless;
use crate::cached::CachedPod;
use crate::caches::Caches;
use crate::namespace_locks::NamespaceLocks;
use crate::projects::Projects;
use crate::settings;
use crate::shared::Shared;
use crate::status_outbox::StatusOutbox;

/// How many workloads are worked on at once.
const PARALLEL: usize = 8;

/// The controller of workloads.
pub fn controller(shared: &Shared) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let reconciler = Arc::new(Reconciler {
        context: shared.context.clone(),
        caches: shared.caches.clone(),
        projects: shared.projects.clone(),
        namespaces: shared.namespaces.clone(),
        outbox: shared.outbox.clone(),
        queue: queue.clone(),
        podless: Podless::default(),
    });
    let (context, of_gone) = (shared.context.clone(), reconciler.clone());
    let of_cluster_configs = shared.caches.workloads.clone();
    let caches = || shared.caches.clone();
    let (of_settings, of_projects, of_secrets) = (caches(), caches(), caches());
    Controller::new("workload", (queue, keys), PARALLEL, move |name| {
        reconciler.clone().reconcile(name)
    })
    .watches(&shared.caches.workloads, move |queue, change| {
        match (change.deleted(), change.name()) {
            (Some(gone), _) => {
                context.events.forget(&**gone);
                of_gone.podless.ended(&ObjectName::of(&**gone));
            }
            (None, name) => name.into_iter().for_each(|name| queue.add(name)),
        }
    })
    .watches(&shared.caches.jobs, |queue, change| {
        change.name().into_iter().for_each(|name| queue.add(name));
    })
    .watches(&shared.caches.pods, |queue, change| {
        of_pod(change).into_iter().for_each(|name| queue.add(name));
    })
    .watches(&shared.caches.configs, move |queue, change| {
        if settings::have_changed(change) {
            let all = of_settings.workloads.all();
            all.iter().for_each(|it| queue.add(ObjectName::of(&**it)));
        }
    })
    .hears(&shared.caches.cluster_configs.changed, move |queue, ()| {
        let all = of_cluster_configs.all();
        all.iter().for_each(|it| queue.add(ObjectName::of(&**it)));
    })
    .watches(&shared.caches.projects, move |queue, change| {
        if let Some(namespace) = secrets::changed_in(change) {
            let all = of_secrets.workloads.in_namespace(&namespace);
            let waiting = all.iter().filter(|it| secrets::may_wait(it));
            waiting.for_each(|it| queue.add(ObjectName::of(&**it)));
        }
    })
    .hears(&shared.projects.became_usable, move |queue, project| {
        let all = of_projects.workloads.in_namespace(&project.namespace);
        all.iter().for_each(|it| queue.add(ObjectName::of(&**it)));
    })
}

/// The workload whose pod this is.
fn of_pod(change: &Change<CachedPod>) -> Option<ObjectName> {
    let pod = change.latest()?;
    let workload = pod.labels().get(WORKLOAD_LABEL)?;
    Some(ObjectName::namespaced(pod.namespace()?, workload.clone()))
}

struct Reconciler {
    context: Arc<Context>,
    caches: Arc<Caches>,
    projects: Arc<Projects>,
    namespaces: Arc<NamespaceLocks>,
    outbox: Arc<StatusOutbox>,
    queue: Queue<ObjectName>,
    podless: Podless,
}

impl Reconciler {
    /// One pass over a workload. What is in the way is in the workload's status too.
    async fn reconcile(self: Arc<Self>, name: ObjectName) -> Result<(), WorkloadError> {
        let Some(workload) = self.caches.workloads.get(&name) else {
            return Ok(());
        };
        if workload.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let _held = self.namespaces.write_into(&name.namespace).await;
        let read = self.dereference(&name, &workload);
        let outcome = match decide(&workload, &read) {
            Ok(Step::Report(observed)) if observed.podless => self.refused(&name, &workload, observed).await,
            Ok(Step::Report(observed)) => {
                self.podless.ended(&name);
                Ok(observed)
            }
            // The watch of Jobs is behind: the next pass comes with its news.
            Ok(Step::Make(_)) if self.caches.jobs.was_just_created(&name) => return Ok(()),
            Ok(Step::Make(_)) => match self.whole(&name, &workload, &read).await {
                Ok(Some(job)) => self.make(&name, &job).await,
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        self.finish(&workload, outcome).await
    }

    fn dereference(&self, name: &ObjectName, workload: &Workload) -> Dereferenced {
        let checked = workload.checked().ok();
        let mut pods = self.caches.pods.in_namespace(&name.namespace);
        pods.retain(|pod| pod.labels().get(WORKLOAD_LABEL) == Some(&name.name));
        let project = checked.and_then(|it| self.projects.index().project(it.project_id));
        let settings = self.caches.settings();
        let settings = match &project {
            Some(project) => reeve_tenancy::settings_of(project, &settings),
            None => settings,
        };
        let mounting = project
            .as_ref()
            .filter(|_| !workload.spec.secret_volumes.is_empty());
        let object = mounting.and_then(|it| self.caches.projects.get(&ObjectName::cluster(it.name.as_str())));
        let status = object.as_ref().and_then(|object| object.status.as_ref());
        let namespace = self.caches.namespaces.get(&ObjectName::cluster(&name.namespace));
        let pools = namespace.and_then(|it| it.annotations().get(names::NODE_POOLS).cloned());
        Dereferenced {
            project,
            node_pool: pools.and_then(|pools| decide::first_of(&pools)),
            job: self.caches.jobs.get(name),
            pods,
            settings,
            secrets: status.map(|status| status.secrets.clone()).unwrap_or_default(),
        }
    }

    /// The Job of the whole workload: the cache keeps neither its command nor its environment, and one of its Secrets at most. `None`
    /// when it is not there any more: the watch brings the news. A list of one, so that the operator needs no right to `get`.
    async fn whole(
        &self,
        name: &ObjectName,
        cached: &Workload,
        read: &Dereferenced,
    ) -> Result<Option<Box<Job>>, WorkloadError> {
        let parameters = ListParams::default().fields(&format!("metadata.name={}", name.name));
        let api = Api::<Workload>::namespaced(self.context.client.clone(), &name.namespace);
        let found = api
            .list(&parameters)
            .await
            .map_err(|source| WriteFailed::new::<Workload>("read", name, source))?;
        let Some(workload) = found.items.into_iter().find(|it| it.uid() == cached.uid()) else {
            return Ok(None);
        };
        match decide(&workload, read)? {
            Step::Make(job) => Ok(Some(job)),
            Step::Report(_) => Ok(None),
        }
    }

    /// Why a Job has no pod: the newest refusal of its pods is in its events alone. A Job that has just lost its pod, or never
    /// had one, is given a moment; one that still has none is looked at again, ever less often.
    async fn refused(
        &self,
        name: &ObjectName,
        workload: &Workload,
        mut observed: Observed,
    ) -> Result<Observed, WorkloadError> {
        let lasts = self.podless.lasts(name, Instant::now());
        self.queue.add_after(name.clone(), podless::pause(lasts));
        let told = workload
            .status
            .as_ref()
            .is_some_and(|status| status.phase == Some(Phase::Pending) && !status.message.is_empty());
        if lasts < podless::FIRST && !told {
            return Ok(observed);
        }
        let uid = observed.job_uid.clone().unwrap_or_default();
        let of_job = format!("involvedObject.uid={uid},reason=FailedCreate");
        let about = ObjectName::namespaced(name.namespace.clone(), uid);
        let events = Api::<Event>::namespaced(self.context.client.clone(), &name.namespace)
            .list(&ListParams::default().fields(&of_job))
            .await
            .map_err(|source| WriteFailed::new::<Event>("list", &about, source))?;
        if let Some(message) = observe::newest_refusal(&events.items) {
            observed.message = message;
        }
        Ok(observed)
    }

    async fn make(&self, name: &ObjectName, job: &Job) -> Result<Observed, WorkloadError> {
        let api = Api::<Job>::namespaced(self.context.client.clone(), &name.namespace);
        match self.context.writes.create(&api, job).await {
            Ok(made) => {
                self.caches.jobs.just_created(name.clone());
                tracing::info!(namespace = name.namespace, workload = name.name, "Job created");
                Ok(Observed {
                    phase: Phase::Pending,
                    message: String::new(),
                    job_uid: made.metadata.uid,
                    podless: true,
                })
            }
            Err(failed) if failed.source.is_already_exists() => Err(WorkloadError::ForeignJob {
                namespace: name.namespace.clone(),
                name: name.name.clone(),
            }),
            Err(failed) => Err(failed.into()),
        }
    }
}
