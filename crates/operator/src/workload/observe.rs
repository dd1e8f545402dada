//! How a workload stands, read from its Job and pods. Pure.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_crds::Phase;

/// How a workload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// One word.
    pub phase: Phase,
    /// Why, for people.
    pub message: String,
    /// The uid of its Job.
    pub job_uid: Option<String>,
}

/// Whether the object's controller is the one with this uid.
pub fn is_controlled_by(meta: &ObjectMeta, uid: &str) -> bool {
    meta.owner_references
        .iter()
        .flatten()
        .any(|owner| owner.controller == Some(true) && owner.uid == uid)
}

/// Whether the object's controller is a workload, whichever.
pub fn is_of_a_workload(meta: &ObjectMeta) -> bool {
    meta.owner_references
        .iter()
        .flatten()
        .any(|owner| owner.controller == Some(true) && owner.kind == "Workload")
}

/// Reads the state of a Job; of the pods, those that it controls say why they wait.
pub fn observe(job: &Job, pods: &[Arc<Pod>]) -> Observed {
    let status = job.status.clone().unwrap_or_default();
    let condition = |type_: &str| {
        status
            .conditions
            .iter()
            .flatten()
            .find(|c| c.type_ == type_ && c.status == "True")
    };
    let uid = job.metadata.uid.clone();
    let is_its = |pod: &&Arc<Pod>| {
        uid.as_deref()
            .is_some_and(|uid| is_controlled_by(&pod.metadata, uid))
    };
    let pods: Vec<&Pod> = pods.iter().filter(is_its).map(|pod| &**pod).collect();
    // Between a pod's end and the Job's verdict nothing has gone back to waiting; where the Job tries again, it has.
    let awaits_verdict = !pods.is_empty()
        && pods
            .iter()
            .all(|pod| matches!(phase(pod), "Succeeded" | "Failed"));
    let runs =
        status.ready.unwrap_or(0) > 0 || awaits_verdict || pods.iter().any(|pod| phase(pod) == "Running");
    let (phase, message) = if condition("Complete").is_some() {
        (Phase::Completed, String::new())
    } else if let Some(failed) = condition("Failed") {
        let why = pods
            .iter()
            .find_map(|pod| why_failed(pod))
            .or_else(|| failed.message.clone());
        (Phase::Failed, why.unwrap_or_default())
    } else if runs {
        (Phase::Running, String::new())
    } else {
        (
            Phase::Pending,
            pods.iter().find_map(|pod| why_waiting(pod)).unwrap_or_default(),
        )
    };
    Observed {
        phase,
        message,
        job_uid: uid,
    }
}

fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

fn said(reason: Option<&str>, message: Option<&str>) -> Option<String> {
    match (reason, message) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

fn why_failed(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let ended = status
        .container_statuses
        .iter()
        .flatten()
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .find(|ended| ended.exit_code != 0)
        .map(|ended| match ended.reason.as_deref() {
            None | Some("Error") => format!("its container ended with exit code {}", ended.exit_code),
            Some(reason) => format!(
                "its container ended with exit code {} ({reason})",
                ended.exit_code
            ),
        });
    ended.or_else(|| said(status.reason.as_deref(), status.message.as_deref()))
}

fn why_waiting(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let waiting = status
        .container_statuses
        .iter()
        .flatten()
        .filter_map(|container| container.state.as_ref()?.waiting.as_ref())
        .find(|waiting| {
            !matches!(
                waiting.reason.as_deref(),
                None | Some("ContainerCreating" | "PodInitializing")
            )
        })
        .and_then(|waiting| said(waiting.reason.as_deref(), waiting.message.as_deref()));
    let unscheduled = || {
        status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
            .and_then(|condition| said(condition.reason.as_deref(), condition.message.as_deref()))
    };
    waiting.or_else(unscheduled)
}
