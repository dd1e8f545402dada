//! How Jobs, pods, claims and routes stand.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, PersistentVolumeClaim, Pod};
use serde_json::Value;

use crate::fault::{Category, Fault, Health, State};
use crate::log;

/// A Job.
///
/// # Errors
/// What is in the way.
pub fn job(job: Option<&Job>) -> Result<Health, Fault> {
    let Some(job) = job else {
        return Err(Fault::new(
            Category::MissingDownstream,
            "JobNotFound",
            "the Job is not there yet",
        ));
    };
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    let holds = |type_: &str| conditions.iter().find(|c| c.type_ == type_ && c.status == "True");
    if holds("Complete").is_some() {
        return Ok(Health::new(State::Ready, "JobSucceeded", ""));
    }
    let Some(failed) = holds("Failed") else {
        return Ok(Health::new(State::Progressing, "JobRunning", "the Job runs"));
    };
    let (category, reason) = match failed.reason.as_deref() {
        Some("BackoffLimitExceeded") => (Category::InvalidSpec, "JobBackoffLimitExceeded"),
        Some("DeadlineExceeded") => (Category::InvalidSpec, "JobDeadlineExceeded"),
        Some("Evicted") => (Category::Infrastructure, "JobEvicted"),
        _ => (Category::InvalidSpec, "JobFailed"),
    };
    Err(Fault::new(
        category,
        reason,
        failed.message.clone().unwrap_or_default(),
    ))
}

/// A Job whose pod failed: the Job says only that it gave up, its pod says why.
///
/// # Errors
/// What is in the way.
pub fn job_of_pod(of_job: Option<&Job>, of_pod: Option<&Fault>) -> Result<Health, Fault> {
    job(of_job).map_err(|fault| match of_pod {
        Some(cause) => Fault::new(cause.category, fault.reason, cause.message.clone()),
        None => fault,
    })
}

/// Whether a Job is over, well or badly.
pub fn is_finished(job: &Job) -> bool {
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    conditions
        .iter()
        .any(|c| matches!(c.type_.as_str(), "Complete" | "Failed") && c.status == "True")
}

/// What is known of a pod beside the pod itself.
#[derive(Debug, Clone, Copy)]
pub struct SeenPod<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Its events, in any order; empty when they were not asked for.
    pub events: &'a [Event],
    /// The last lines of the log of the container that failed; empty when they were not asked for.
    pub log: &'a str,
}

/// Pods.
///
/// # Errors
/// What is in the way.
pub fn pods(pods: &[SeenPod<'_>]) -> Result<Health, Fault> {
    if pods.is_empty() {
        return Err(Fault::new(
            Category::MissingDownstream,
            "NoPods",
            "there are no pods yet",
        ));
    }
    if let Some(fault) = pods.iter().find_map(|seen| pull_problem(seen.pod)) {
        return Err(fault);
    }
    if let Some(seen) = pods.iter().find(|seen| phase(seen.pod) == "Failed") {
        return Err(failed(seen));
    }
    let any = |holds: fn(&Pod) -> bool| pods.iter().any(|seen| holds(seen.pod));
    if any(|pod| phase(pod) == "Succeeded" || (phase(pod) == "Running" && is_ready(pod))) {
        return Ok(Health::new(State::Ready, "PodsReady", ""));
    }
    if any(|pod| phase(pod) == "Running") {
        return Ok(Health::new(
            State::Starting,
            "PodsStarting",
            "containers run and are not ready yet",
        ));
    }
    match pods.iter().find(|seen| phase(seen.pod) == "Pending") {
        Some(seen) => Ok(pending(seen.events)),
        None => Ok(Health::new(State::Progressing, "PodsProgressing", "")),
    }
}

fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or_default()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    conditions
        .iter()
        .any(|c| c.type_ == "Ready" && c.status == "True")
}

/// The statuses of the containers, then of the init containers.
fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let containers = status
        .and_then(|s| s.container_statuses.as_deref())
        .unwrap_or_default();
    let init = status
        .and_then(|s| s.init_container_statuses.as_deref())
        .unwrap_or_default();
    containers.iter().chain(init)
}

fn pull_problem(pod: &Pod) -> Option<Fault> {
    let waiting = |status: &ContainerStatus| {
        let waiting = status.state.as_ref()?.waiting.clone()?;
        matches!(
            waiting.reason.as_deref(),
            Some("ImagePullBackOff" | "ErrImagePull")
        )
        .then_some(waiting)
    };
    let waiting = statuses(pod).find_map(waiting)?;
    let message = waiting.message.unwrap_or_default();
    let (category, reason) = log::pull_failure(&message);
    Some(Fault::new(category, reason, message))
}

fn failed(seen: &SeenPod<'_>) -> Fault {
    let terminated = |state: Option<&ContainerState>| state.and_then(|state| state.terminated.clone());
    let ended = statuses(seen.pod).find_map(|status| terminated(status.state.as_ref()));
    let status = seen.pod.status.as_ref();
    let (exit, reason, message) = match &ended {
        Some(ended) => (ended.exit_code, ended.reason.clone(), ended.message.clone()),
        None => (
            0,
            status.and_then(|s| s.reason.clone()),
            status.and_then(|s| s.message.clone()),
        ),
    };
    let reason = reason.unwrap_or_default();
    let lines = if exit != 0 && reason != "OOMKilled" {
        seen.log
    } else {
        ""
    };
    log::failed_pod(exit, &reason, &message.unwrap_or_default(), lines)
}

/// By the newest event that says something.
fn pending(events: &[Event]) -> Health {
    let newest = |reasons: &[&str]| {
        let told = events
            .iter()
            .filter(|event| event.reason.as_deref().is_some_and(|r| reasons.contains(&r)));
        told.max_by_key(|event| time_of(event))
    };
    let says = |state, event: &Event| {
        let reason = event.reason.clone().unwrap_or_default();
        Health::new(state, reason, event.message.clone().unwrap_or_default())
    };
    let stuck = [
        "FailedScheduling",
        "FailedMount",
        "FailedAttachVolume",
        "FailedCreatePodSandBox",
    ];
    if let Some(event) = newest(&stuck) {
        return says(State::Pending, event);
    }
    match newest(&["Pulling"]) {
        Some(event) => says(State::Progressing, event),
        None => Health::new(State::Pending, "PodsPending", "the pod waits"),
    }
}

/// When an event was last seen, in whichever field the reporter put it.
pub(crate) fn time_of(event: &Event) -> Option<k8s_openapi::jiff::Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|series| series.last_observed_time.as_ref())
        .map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    series.max(last).max(first)
}

/// A claim. One that waits for its first consumer is no hindrance to making that consumer.
///
/// # Errors
/// What is in the way.
pub fn claim(claim: Option<&PersistentVolumeClaim>) -> Result<Health, Fault> {
    let Some(claim) = claim else {
        return Err(Fault::new(
            Category::MissingDownstream,
            "PvcNotFound",
            "the claim is not there yet",
        ));
    };
    let status = claim.status.as_ref();
    match status.and_then(|status| status.phase.as_deref()) {
        Some("Bound") => return Ok(Health::new(State::Ready, "PvcBound", "")),
        Some("Lost") => {
            return Err(Fault::new(
                Category::Infrastructure,
                "PvcLost",
                "the volume of the claim is gone",
            ));
        }
        _ => {}
    }
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    let refused = conditions.iter().find(|c| {
        c.type_ == "Resizing" && c.status == "False" && c.reason.as_deref() == Some("ProvisioningFailed")
    });
    match refused {
        Some(refused) => {
            let message = refused.message.clone().unwrap_or_default();
            Err(Fault::new(
                Category::Infrastructure,
                "PvcProvisioningFailed",
                message,
            ))
        }
        None => Ok(Health::new(
            State::Progressing,
            "PvcPending",
            "the claim has no volume yet",
        )),
    }
}

/// Why nobody makes a volume for a claim, by the claim's newest event: no provisioner and no volume that fits, or a provisioner
/// that fails. A claim that waits for its first consumer is no such thing.
pub fn claim_refused(events: &[Event]) -> Option<Fault> {
    let newest = events.iter().max_by_key(|event| time_of(event))?;
    let reason = newest.reason.as_deref()?;
    matches!(reason, "ProvisioningFailed" | "FailedBinding").then(|| {
        let message = newest.message.clone().unwrap_or_default();
        Fault::new(Category::Infrastructure, "PvcProvisioningFailed", message)
    })
}

/// An HTTPRoute, as JSON. Only parents that the spec names count, and of them only what was said of this generation; ready
/// needs all of them.
///
/// # Errors
/// What a Gateway refused.
pub fn route(route: &Value) -> Result<Health, Fault> {
    let list = |pointer: &str| {
        route
            .pointer(pointer)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    let generation = route.pointer("/metadata/generation").and_then(Value::as_i64);
    let mut waiting = Vec::new();
    for wanted in list("/spec/parentRefs") {
        let mut of_wanted = list("/status/parents")
            .iter()
            .filter(|parent| names_same(wanted, parent.get("parentRef")));
        if !accepted(of_wanted.next(), generation)? {
            waiting.push(wanted.get("name").and_then(Value::as_str).unwrap_or_default());
        }
    }
    if waiting.is_empty() && !list("/spec/parentRefs").is_empty() {
        return Ok(Health::new(State::Ready, "HTTPRouteAccepted", ""));
    }
    let message = format!("no answer yet from: {}", waiting.join(", "));
    Ok(Health::new(State::Progressing, "HTTPRoutePending", message))
}

/// Compared by what a parent reference says; what it does not say has Gateway API's default.
fn names_same(wanted: &Value, said: Option<&Value>) -> bool {
    let Some(said) = said else { return false };
    let text = |reference: &Value, key: &str, default: &str| {
        reference
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let same = |key: &str, default: &str| text(wanted, key, default) == text(said, key, default);
    let namespace = |reference: &Value| {
        reference
            .get("namespace")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let same_namespace = match (namespace(wanted), namespace(said)) {
        (Some(wanted), Some(said)) => wanted == said,
        _ => true,
    };
    same("name", "")
        && same("kind", "Gateway")
        && same("group", "gateway.networking.k8s.io")
        && same("sectionName", "")
        && same_namespace
        && wanted.get("port") == said.get("port")
}

/// Whether a parent took the route.
fn accepted(parent: Option<&Value>, generation: Option<i64>) -> Result<bool, Fault> {
    let conditions = parent.and_then(|p| p.get("conditions")).and_then(Value::as_array);
    let current = |condition: &&Value| {
        let said = condition.get("observedGeneration").and_then(Value::as_i64);
        said.is_none() || generation.is_none() || said >= generation
    };
    let text = |condition: &Value, key: &str| {
        condition
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut is_accepted = false;
    for condition in conditions.into_iter().flatten().filter(current) {
        let fault = |category| Fault::new(category, text(condition, "reason"), text(condition, "message"));
        match (
            text(condition, "type").as_str(),
            text(condition, "status").as_str(),
        ) {
            ("Accepted", "True") => is_accepted = true,
            ("Accepted", _) => return Err(fault(Category::InvalidSpec)),
            ("ResolvedRefs", "False") => return Err(fault(Category::MissingDownstream)),
            _ => {}
        }
    }
    Ok(is_accepted)
}
