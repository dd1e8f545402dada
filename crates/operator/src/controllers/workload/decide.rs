//! What is to be done about a workload. Pure.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use reeve_crds::{Phase, ReeveConfigSpec, SecretCopy, Workload, desired};
use reeve_workload::{Owner, own_container};

use super::WorkloadError;
use super::observe::{self, Observed};
use super::secrets;
use crate::cached::{CachedJob, CachedPod};
use crate::ownership::{is_of_a_workload, is_of_workload};

/// Everything a pass reads.
#[derive(Debug)]
pub struct Dereferenced {
    /// The project it names.
    pub project: Option<Arc<desired::Project>>,
    /// The Job of its name, when it is labelled as a workload's.
    pub job: Option<Arc<CachedJob>>,
    /// Pods that are labelled as its.
    pub pods: Vec<Arc<CachedPod>>,
    /// The cluster's settings, as they hold in the project.
    pub settings: ReeveConfigSpec,
    /// The node pool that its pods run on; absent where they run on every node (R34).
    pub node_pool: Option<String>,
    /// How the Secrets of the project stand, as its status says.
    pub secrets: Vec<SecretCopy>,
}

/// The first pool of a namespace's list; a submission names none.
pub(super) fn first_of(pools: &str) -> Option<String> {
    let first = pools.split(',').next().unwrap_or_default();
    (!first.is_empty()).then(|| first.to_owned())
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Make this Job.
    Make(Box<Job>),
    /// Nothing: this is how it stands.
    Report(Observed),
}

/// Validates and builds: what is to be done about a workload. Pure.
///
/// # Errors
/// What is in the way.
pub fn decide(workload: &Workload, read: &Dereferenced) -> Result<Step, WorkloadError> {
    let status = workload.status.clone().unwrap_or_default();
    if let Some(phase) = status.phase.filter(|phase| phase.is_final()) {
        return Ok(Step::Report(Observed {
            phase,
            message: status.message,
            job_uid: status.job_uid,
            podless: false,
        }));
    }
    let checked = workload.checked().map_err(WorkloadError::Invalid)?;
    let namespace = workload.namespace().unwrap_or_default();
    let uid = workload.uid().unwrap_or_default();
    let Some(project) = read
        .project
        .as_ref()
        .filter(|project| project.namespace == namespace)
    else {
        return Err(WorkloadError::NoProject {
            namespace,
            project: checked.project_id,
        });
    };
    match &read.job {
        Some(job)
            if is_of_workload(&job.metadata, &uid)
                && job.labels().get(reeve_workload::WORKLOAD_ID_LABEL) == Some(&workload.spec.id)
                && status
                    .job_uid
                    .as_ref()
                    .is_none_or(|made| job.metadata.uid.as_ref() == Some(made)) =>
        {
            let mut observed = observe::observe(job, &read.pods, own_container(&checked.name));
            // The kubelet says in an event alone what a pod waits for.
            if observed.phase == Phase::Pending && observed.message.is_empty() && !observed.podless {
                let missing = secrets::missing(&checked, &read.secrets);
                observed.message = missing.map(|it| it.to_string()).unwrap_or_default();
            }
            Ok(Step::Report(observed))
        }
        // The Job that was made for it is another: whatever bears its name now is not its.
        _ if status.job_uid.is_some() => Ok(Step::Report(Observed {
            phase: Phase::Failed,
            message: "its Job was deleted; submit the workload again to run it once more".to_owned(),
            job_uid: status.job_uid,
            podless: false,
        })),
        Some(job) if is_of_a_workload(&job.metadata) => Err(WorkloadError::OldJob { name: job.name_any() }),
        Some(job) => Err(WorkloadError::ForeignJob {
            namespace,
            name: job.name_any(),
        }),
        None if read.settings.enforce_run_as_user && checked.identity.is_none() => {
            Err(WorkloadError::NoIdentity)
        }
        None => {
            if let Some(missing) = secrets::missing(&checked, &read.secrets) {
                return Err(WorkloadError::NoSecret(missing));
            }
            let owner = Owner { namespace, uid };
            let project = project.name.as_str();
            let mut job = reeve_workload::job(&checked, &owner, project, &read.settings);
            if let Some(pool) = &read.node_pool {
                reeve_workload::run_on_pool(&mut job, pool);
            }
            Ok(Step::Make(Box::new(job)))
        }
    }
}
