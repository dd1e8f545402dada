//! Workload → Job, and the Job's state back.
//!
//! A Job is made once. One that is gone is not made again: running somebody's work twice is worse than saying that it
//! was deleted. Deletion needs no pass: the Job is owned by the `Workload` and the garbage collector removes it.

mod failed;
pub mod observe;
mod podless;

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use reeve_crds::{Phase, ReeveConfigSpec, Workload, WorkloadStatus, desired};
use reeve_kube_kit::apply::{WriteFailed, apply_status};
use reeve_kube_kit::error::chain;
use reeve_kube_kit::{Name, Reconcile, condition, events};
use reeve_link::ObjectKey;
use reeve_types::{Timestamp, WorkloadId};
use reeve_workload::Owner;
use tokio::time::Instant;

pub use failed::Failed;
pub use observe::Observed;
pub use podless::Podless;

use crate::MANAGER;
use crate::world::World;

/// Everything a pass reads.
#[derive(Debug)]
pub struct View {
    /// The project it names.
    pub project: Option<Arc<desired::Project>>,
    /// The Job of its name, when it is labelled as a workload's.
    pub job: Option<Arc<Job>>,
    /// Pods that are labelled as its.
    pub pods: Vec<Arc<Pod>>,
    /// The cluster's settings.
    pub settings: ReeveConfigSpec,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Make this Job.
    Make(Box<Job>),
    /// Nothing: this is how it stands.
    Report(Observed),
}

fn dereference(world: &World, name: &Name, workload: &Workload) -> View {
    let project = workload
        .checked()
        .ok()
        .and_then(|checked| world.org().project(checked.project_id));
    let labelled = |pod: &Arc<Pod>| pod.labels().get(reeve_workload::WORKLOAD_LABEL) == Some(&name.name);
    View {
        project,
        job: world.mirrors.jobs.get(name),
        pods: world
            .mirrors
            .pods
            .in_namespace(&name.namespace)
            .into_iter()
            .filter(labelled)
            .collect(),
        settings: world.settings(),
    }
}

/// Validates and builds: what is to be done about a workload. Pure.
///
/// # Errors
/// What is in the way.
pub fn decide(workload: &Workload, view: &View) -> Result<Step, Failed> {
    let status = workload.status.clone().unwrap_or_default();
    if let Some(phase) = status.phase.filter(|phase| phase.is_final()) {
        return Ok(Step::Report(Observed {
            phase,
            message: status.message,
            job_uid: status.job_uid,
            podless: false,
        }));
    }
    let checked = workload.checked().map_err(Failed::Invalid)?;
    let namespace = workload.namespace().unwrap_or_default();
    let uid = workload.uid().unwrap_or_default();
    let Some(project) = view
        .project
        .as_ref()
        .filter(|project| project.namespace == namespace)
    else {
        return Err(Failed::NoProject {
            namespace,
            project: checked.project_id,
        });
    };
    match &view.job {
        Some(job)
            if observe::is_of_workload(&job.metadata, &uid)
                && job.labels().get(reeve_workload::WORKLOAD_ID_LABEL) == Some(&workload.spec.id)
                && status
                    .job_uid
                    .as_ref()
                    .is_none_or(|made| job.metadata.uid.as_ref() == Some(made)) =>
        {
            Ok(Step::Report(observe::observe(
                job,
                &view.pods,
                checked.name.as_str(),
            )))
        }
        // The Job that was made for it is another: whatever bears its name now is not its.
        _ if status.job_uid.is_some() => Ok(Step::Report(Observed {
            phase: Phase::Failed,
            message: "its Job was deleted; submit the workload again to run it once more".to_owned(),
            job_uid: status.job_uid,
            podless: false,
        })),
        Some(job) if observe::is_of_a_workload(&job.metadata) => Err(Failed::OldJob { name: job.name_any() }),
        Some(job) => Err(Failed::ForeignJob {
            namespace,
            name: job.name_any(),
        }),
        None if view.settings.enforce_run_as_user && checked.identity.is_none() => Err(Failed::NoIdentity),
        None => {
            let owner = Owner { namespace, uid };
            Ok(Step::Make(Box::new(reeve_workload::job(
                &checked,
                &owner,
                project.name.as_str(),
                &view.settings,
            ))))
        }
    }
}

/// One pass over a workload.
///
/// # Errors
/// What is in the way; it is in the workload's status too.
pub async fn reconcile(world: Arc<World>, name: Name) -> Result<(), Failed> {
    let Some(workload) = world.mirrors.workloads.get(&name) else {
        world.podless.ended(&name);
        return Ok(());
    };
    if workload.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let view = dereference(&world, &name, &workload);
    let outcome = match decide(&workload, &view) {
        Ok(Step::Report(observed)) if observed.podless => refused(&world, &name, &workload, observed).await,
        Ok(Step::Report(observed)) => {
            world.podless.ended(&name);
            Ok(observed)
        }
        // The watch of Jobs is behind: the next pass comes with its news.
        Ok(Step::Make(_)) if world.was_just_made(&name) => return Ok(()),
        Ok(Step::Make(_)) => match whole(&world, &name, &workload, &view).await {
            Ok(Some(job)) => make(&world, &name, &job).await,
            Ok(None) => return Ok(()),
            Err(failed) => Err(failed),
        },
        Err(failed) => Err(failed),
    };
    finish(&world, &workload, outcome).await
}

/// The Job of the whole workload: the cache keeps neither its command nor its environment. `None` when it is not there any
/// more: the watch brings the news. A list of one, so that the operator needs no right to `get`.
async fn whole(
    world: &World,
    name: &Name,
    cached: &Workload,
    view: &View,
) -> Result<Option<Box<Job>>, Failed> {
    let parameters = ListParams::default().fields(&format!("metadata.name={}", name.name));
    let found = Api::<Workload>::namespaced(world.client.clone(), &name.namespace)
        .list(&parameters)
        .await
        .map_err(|source| {
            Failed::Write(WriteFailed::new::<Workload>(
                "read",
                Some(&name.namespace),
                &name.name,
                source,
            ))
        })?;
    let Some(workload) = found.items.into_iter().find(|it| it.uid() == cached.uid()) else {
        return Ok(None);
    };
    match decide(&workload, view)? {
        Step::Make(job) => Ok(Some(job)),
        Step::Report(_) => Ok(None),
    }
}

/// Why a Job has no pod: the newest refusal of its pods is in its events alone. A Job that has just lost its pod, or never
/// had one, is given a moment; one that still has none is looked at again, ever less often.
async fn refused(
    world: &World,
    name: &Name,
    workload: &Workload,
    mut observed: Observed,
) -> Result<Observed, Failed> {
    let lasts = world.podless.lasts(name, Instant::now());
    world
        .queues
        .workloads
        .add_after(name.clone(), podless::pause(lasts));
    let told = workload
        .status
        .as_ref()
        .is_some_and(|status| status.phase == Some(Phase::Pending) && !status.message.is_empty());
    if lasts < podless::FIRST && !told {
        return Ok(observed);
    }
    let uid = observed.job_uid.clone().unwrap_or_default();
    let of_job = format!("involvedObject.uid={uid},reason=FailedCreate");
    let events = Api::<Event>::namespaced(world.client.clone(), &name.namespace)
        .list(&ListParams::default().fields(&of_job))
        .await
        .map_err(|source| {
            Failed::Write(WriteFailed::new::<Event>(
                "list",
                Some(&name.namespace),
                &uid,
                source,
            ))
        })?;
    if let Some(message) = observe::newest_refusal(&events.items) {
        observed.message = message;
    }
    Ok(observed)
}

async fn make(world: &World, name: &Name, job: &Job) -> Result<Observed, Failed> {
    let parameters = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    match Api::<Job>::namespaced(world.client.clone(), &name.namespace)
        .create(&parameters, job)
        .await
    {
        Ok(made) => {
            world.just_made(name.clone());
            tracing::info!(namespace = name.namespace, workload = name.name, "Job created");
            Ok(Observed {
                phase: Phase::Pending,
                message: String::new(),
                job_uid: made.metadata.uid,
                podless: true,
            })
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => Err(Failed::ForeignJob {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
        }),
        Err(source) => Err(Failed::Write(WriteFailed::new::<Job>(
            "create",
            Some(&name.namespace),
            &name.name,
            source,
        ))),
    }
}

fn status(workload: &Workload, observed: &Observed, reason: &str, now: Timestamp) -> WorkloadStatus {
    let mut conditions = workload
        .status
        .as_ref()
        .map(|status| status.conditions.clone())
        .unwrap_or_default();
    let ready = condition::Says {
        type_: "Ready",
        // A Job whose pods are refused is made, and nothing runs.
        status: Some(!matches!(observed.phase, Phase::NotReady | Phase::Creating) && !observed.is_refused()),
        reason,
        message: &observed.message,
        generation: workload.metadata.generation,
    };
    condition::set(&mut conditions, &ready, now);
    WorkloadStatus {
        phase: Some(observed.phase),
        message: observed.message.clone(),
        job_uid: observed.job_uid.clone(),
        observed_generation: workload.metadata.generation,
        conditions,
    }
}

async fn finish(world: &World, workload: &Workload, outcome: Result<Observed, Failed>) -> Result<(), Failed> {
    let before = workload.status.as_ref();
    let (observed, reason) = match &outcome {
        Ok(observed) => (observed.clone(), "JobMade"),
        Err(failed) => {
            let job_uid = before.and_then(|status| status.job_uid.clone());
            let phase = if matches!(failed, Failed::OldJob { .. }) {
                Phase::Creating
            } else {
                Phase::NotReady
            };
            (
                Observed {
                    phase,
                    message: chain(failed),
                    job_uid,
                    podless: false,
                },
                failed.reason(),
            )
        }
    };
    if let Ok(id) = workload.spec.id.parse::<WorkloadId>() {
        world
            .board
            .set(ObjectKey::Workload(id), observed.phase.into(), &observed.message);
    }
    let status = status(workload, &observed, reason, world.clock.now());
    if before == Some(&status) {
        return outcome.map(drop);
    }
    if let Err(failed) = &outcome {
        let event = events::Says {
            warning: true,
            reason: failed.reason(),
            note: &observed.message,
        };
        world.events.publish(workload, "ReconcileWorkload", &event).await;
    } else if before.and_then(|status| status.job_uid.as_ref()).is_none() && observed.job_uid.is_some() {
        let event = events::Says {
            warning: false,
            reason: "JobMade",
            note: "its Job was created",
        };
        world.events.publish(workload, "ReconcileWorkload", &event).await;
    }
    let api = Api::<Workload>::namespaced(world.client.clone(), &workload.namespace().unwrap_or_default());
    let written = match apply_status(&api, MANAGER, workload, &status).await {
        Err(failed) if failed.is_not_found() => Ok(()),
        other => other.map_err(Failed::Write),
    };
    outcome.and(written)
}
