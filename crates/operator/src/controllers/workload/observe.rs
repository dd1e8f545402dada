//! How a workload stands, read from its Job and pods. Pure.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Event;
use reeve_crds::Phase;

use crate::cached::{CachedContainer, CachedJob, CachedPod, CachedPodStatus, CachedTerminated};
use crate::ownership::is_controlled_by;

/// How a workload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// One word.
    pub phase: Phase,
    /// Why, for people.
    pub message: String,
    /// The uid of its Job.
    pub job_uid: Option<String>,
    /// The Job has no pod: what refused it, only the Job's events say.
    pub podless: bool,
}

impl Observed {
    /// Whether something refuses the Job's pods.
    pub fn is_refused(&self) -> bool {
        self.podless && !self.message.is_empty()
    }
}

/// What the newest of these events says. Pure.
pub fn newest_refusal(events: &[Event]) -> Option<String> {
    let at = |event: &Event| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.or_else(|| event.event_time.as_ref().map(|time| time.0))
    };
    let newest = events.iter().max_by_key(|event| at(event))?;
    newest.message.clone()
}

/// Reads the state of a Job; of the pods, those that it controls say why they wait. `own` is the name of the workload's
/// own container ([`reeve_workload::own_container`]): of others, which somebody injected, every message says the name.
pub fn observe(job: &CachedJob, pods: &[Arc<CachedPod>], own: &str) -> Observed {
    let status = &job.status;
    let condition = |type_: &str| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == type_ && c.status == "True")
    };
    let uid = job.metadata.uid.clone();
    let is_its = |pod: &&Arc<CachedPod>| {
        uid.as_deref()
            .is_some_and(|uid| is_controlled_by(&pod.metadata, uid))
    };
    let pods: Vec<&CachedPod> = pods.iter().filter(is_its).map(|pod| &**pod).collect();
    // Between a pod's end and the Job's verdict nothing has gone back to waiting; where the Job tries again, it has.
    let awaits_verdict = !pods.is_empty()
        && pods
            .iter()
            .all(|pod| matches!(&*pod.status.phase, "Succeeded" | "Failed"));
    let runs = status.ready.unwrap_or(0) > 0
        || awaits_verdict
        || pods.iter().any(|pod| pod.status.phase == "Running");
    let (phase, message) = if condition("Complete").is_some() {
        (Phase::Completed, String::new())
    } else if let Some(failed) = condition("Failed") {
        let why = pods
            .iter()
            .find_map(|pod| why_failed(pod, own))
            .or_else(|| failed.message.clone());
        (Phase::Failed, why.unwrap_or_default())
    } else if runs {
        (
            Phase::Running,
            pods.iter()
                .find_map(|pod| why_goes_on(pod, own))
                .unwrap_or_default(),
        )
    } else {
        (
            Phase::Pending,
            pods.iter()
                .find_map(|pod| why_waiting(pod, own))
                .unwrap_or_default(),
        )
    };
    Observed {
        // One that waits in a queue has none either, and nothing refuses it.
        podless: phase == Phase::Pending && pods.is_empty() && condition("Suspended").is_none(),
        phase,
        message,
        job_uid: uid,
    }
}

fn said(reason: Option<&str>, message: Option<&str>) -> Option<String> {
    match (reason, message) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// The states of a pod's containers: the workload's own first, then those of the others, also of those that start first.
fn containers<'a>(pod: &'a CachedPod, own: &str) -> Vec<&'a CachedContainer> {
    let CachedPodStatus {
        container_statuses,
        init_container_statuses,
        ..
    } = &pod.status;
    let all = container_statuses.iter().chain(init_container_statuses);
    let (mut ordered, others): (Vec<_>, Vec<_>) = all.partition(|container| container.name == own);
    ordered.extend(others);
    ordered
}

/// `its container`, or the name of one that is not the workload's own.
fn called(container: &CachedContainer, own: &str) -> String {
    if container.name == own {
        "its container".to_owned()
    } else {
        format!(
            "the container `{}`, which is not the workload's own,",
            container.name
        )
    }
}

fn ended(container: &CachedContainer) -> Option<&CachedTerminated> {
    container.state.terminated.as_ref()
}

fn why_failed(pod: &CachedPod, own: &str) -> Option<String> {
    let status = &pod.status;
    let failed = containers(pod, own).into_iter().find_map(|container| {
        let ended = ended(container).filter(|ended| ended.exit_code != 0)?;
        if container.name != own && reeve_workload::is_names_container(&container.name) {
            return Some(no_names(ended));
        }
        let called = called(container, own);
        Some(match ended.reason.as_deref() {
            None | Some("Error") => format!("{called} ended with exit code {}", ended.exit_code),
            Some(reason @ ("StartError" | "ContainerCannotRun")) => format!(
                "{called} could not be started ({reason}): whom it runs as has to be able to read and run the program and its folders \
                 in the image (chmod -R a+rX), and the working folder has to be there"
            ),
            Some(reason) => format!("{called} ended with exit code {} ({reason})", ended.exit_code),
        })
    });
    failed.or_else(|| said(status.reason.as_deref(), status.message.as_deref()))
}

/// What to do about an image that only root can run, where the kubelet says no more than that it cannot.
fn remedy(why: &str) -> Option<&'static str> {
    if why.contains("runAsNonRoot and image will run as root") {
        Some(
            "the image names no user but root: set runAsUser, give the person a uid (docs/security/posix.md), or name a user other \
             than 0 in the image by its number (USER 1000)",
        )
    } else if why.contains("image has non-numeric user") {
        Some("name the user in the image by its number (USER 1000), or set runAsUser")
    } else {
        None
    }
}

/// Nothing but the image's shell can be missing where the copies of its `/etc/passwd` are made.
fn no_names(ended: &CachedTerminated) -> String {
    format!(
        "its container did not start: the entry in `/etc/passwd` needs a shell in the image, at `/bin/sh` (exit code {}, {}); \
         submit without `--passwd-entry`",
        ended.exit_code,
        ended.reason.as_deref().unwrap_or("no reason given")
    )
}

/// Why a pod runs although the workload's own container has ended.
fn why_goes_on(pod: &CachedPod, own: &str) -> Option<String> {
    let all = containers(pod, own);
    let own_ended = all.iter().find(|c| c.name == own).and_then(|c| ended(c))?;
    let other = all.iter().find(|c| c.name != own && ended(c).is_none())?;
    Some(format!(
        "its container ended with exit code {}; the pod goes on until the container `{}`, which is not the workload's own, \
         ends",
        own_ended.exit_code, other.name
    ))
}

/// A pod has the registry secrets that its ServiceAccount had when it was made.
const LATE_REGISTRY: &str =
    "; where the image needs a registry secret that came after this pod, delete the pod: the next has it";

fn why_waiting(pod: &CachedPod, own: &str) -> Option<String> {
    let status = &pod.status;
    let waiting = containers(pod, own).into_iter().find_map(|container| {
        let waiting = container.state.waiting.as_ref()?;
        if matches!(
            waiting.reason.as_deref(),
            None | Some("ContainerCreating" | "PodInitializing")
        ) {
            return None;
        }
        let mut why = said(waiting.reason.as_deref(), waiting.message.as_deref())?;
        if matches!(
            waiting.reason.as_deref(),
            Some("ImagePullBackOff" | "ErrImagePull")
        ) {
            why += LATE_REGISTRY;
        }
        if let Some(remedy) = remedy(&why) {
            why = format!("{why}; {remedy}");
        }
        Some(if container.name == own {
            why
        } else {
            format!("{}: {why}", called(container, own).trim_end_matches(','))
        })
    });
    let unscheduled = || {
        status
            .conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
            .and_then(|condition| said(condition.reason.as_deref(), condition.message.as_deref()))
    };
    waiting.or_else(unscheduled)
}
