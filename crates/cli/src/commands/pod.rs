//! From a workload to its pod and container in the cluster.
//!
//! **Whose pod is it?** A label says nothing: everybody who may create pods may set it. A pod is a workload's when its
//! controller is the Job that the operator made for it, which the `Workload` object in the cluster names by uid; nobody
//! but the operator writes that object.

mod container;
pub(super) mod right;

use std::io::Write;
use std::time::Duration;

use k8s_openapi::List;
use k8s_openapi::api::core::v1::Pod;
use reeve_api::workload::{Phase, Workload};
use reeve_types::kubernetes as names;
use reeve_workload::own_container;
use reqwest::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use crate::args::{Target, Which};
use crate::commands::find;
use crate::failure::{Failure, plain};
use crate::http::Api;
use crate::kubernetes::{ApiServer, KubernetesError};
pub(super) use container::{exit_code, is_over};

/// The label that the Job controller gives to its pods; it only narrows the list.
const CONTROLLER_LABEL: &str = "batch.kubernetes.io/controller-uid";
const PAUSE: Duration = Duration::from_millis(500);
/// How long a wait goes on before it is said what for: most starts are over by then. What the cluster refuses is not waited for
/// any longer by who does not wait for ever.
const SILENCE: Duration = Duration::from_secs(3);

/// What a command needs of a pod.
pub(super) struct Wanted<'a> {
    /// Whose pod, and which.
    pub(super) target: &'a Target,
    /// Which container; absent: the workload's own.
    pub(super) container: Option<&'a str>,
    /// In what state.
    pub(super) state: State,
    /// How long to wait for that; absent: for ever.
    pub(super) patience: Option<Duration>,
    /// What to do when that was not long enough.
    pub(super) hint: &'static str,
}

/// In what state a container is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Whatever it is in.
    Any,
    /// It runs, or did.
    Started,
    /// It runs.
    Running,
}

/// A pod that has what was wanted.
pub(super) struct Found {
    /// The API server of its cluster.
    pub(super) server: ApiServer,
    /// Its namespace.
    pub(super) namespace: String,
    /// Its name.
    pub(super) name: String,
    /// All of it.
    pub(super) pod: Pod,
    /// The container that was wanted.
    pub(super) container: String,
}

/// The `Workload` object in the cluster, as far as it is needed.
#[derive(Deserialize)]
struct InCluster {
    spec: Spec,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Spec {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    job_uid: Option<String>,
}

/// Finds the pod, and waits until its container is in the wanted state.
///
/// # Errors
/// There is no such pod or container, it ended, or patience did.
pub(super) async fn find(api: &Api, wanted: &Wanted<'_>, what: &str) -> Result<Found, Failure> {
    let which = &wanted.target.which;
    let container = wanted.container.unwrap_or_else(|| own_container(&which.name));
    let mut workload = find::workload(api, &which.project, &which.name, what).await?;
    let mut server = ApiServer::connect(api, workload.cluster_id, what).await?;
    let started = Instant::now();
    let mut said = String::new();
    loop {
        let pods = pods(&server, &workload).await.map_err(|e| e.explain(what))?;
        let mut refused = false;
        let reason = match choose(pods, wanted.target).map_err(|c| Failure::refused(what).cause(c))? {
            Some(pod) => match lacks(&pod, container, wanted, what)? {
                None => {
                    return Ok(Found {
                        server,
                        namespace: workload.namespace,
                        name: pod.metadata.name.clone().unwrap_or_default(),
                        pod,
                        container: container.to_owned(),
                    });
                }
                Some(reason) => reason,
            },
            None => {
                workload = still_coming(api, which, what).await?;
                refused = is_refused(&workload);
                no_pod(&workload)
            }
        };
        let waited = started.elapsed();
        match wanted.patience {
            Some(patience) if waited >= patience || refused && waited >= SILENCE => {
                return Err(Failure::refused(what).cause(reason).hint(wanted.hint));
            }
            None if waited >= SILENCE || refused => say_once(&mut said, reason),
            _ => {}
        }
        tokio::time::sleep(PAUSE).await;
        server.keep_fresh(what).await?;
    }
}

/// Tells whoever waits for ever what for, each time that it is something else. Not on standard output, where logs go.
pub(super) fn say_once(said: &mut String, reason: String) {
    if *said != reason {
        // Nobody there to read it is no reason to fail.
        let _ = writeln!(std::io::stderr(), "waiting: {}", plain(&reason));
        *said = reason;
    }
}

/// The pods that the workload's Job controls.
async fn pods(server: &ApiServer, workload: &Workload) -> Result<Vec<Pod>, KubernetesError> {
    let Some(uid) = job_uid(server, workload).await? else {
        return Ok(Vec::new());
    };
    let path = ["api", "v1", "namespaces", &workload.namespace, "pods"];
    let selector = format!("{CONTROLLER_LABEL}={uid}");
    let pods: List<Pod> = server.get(&path, &[("labelSelector", &selector)]).await?;
    let mut pods = pods.items;
    pods.retain(|pod| is_controlled_by(pod, &uid));
    Ok(pods)
}

async fn job_uid(server: &ApiServer, workload: &Workload) -> Result<Option<String>, KubernetesError> {
    let (namespace, name) = (workload.namespace.as_str(), workload.name.as_str());
    let path = [
        "apis",
        names::GROUP,
        names::VERSION,
        "namespaces",
        namespace,
        "workloads",
        name,
    ];
    match server.get::<InCluster>(&path, &[]).await {
        // One of the same name that was deleted may still be there: its pods are not this one's.
        Ok(found) if found.spec.id == workload.id.to_string() => {
            Ok(found.status.and_then(|status| status.job_uid))
        }
        Ok(_) => Ok(None),
        Err(KubernetesError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_controlled_by(pod: &Pod, uid: &str) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners
        .into_iter()
        .any(|owner| owner.controller == Some(true) && owner.kind == "Job" && owner.uid == uid)
}

/// The pod that was named, or the newest.
fn choose(pods: Vec<Pod>, target: &Target) -> Result<Option<Pod>, String> {
    let Some(wanted) = &target.pod else {
        let age = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        return Ok(pods.into_iter().max_by_key(age));
    };
    let names: Vec<String> = pods.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    let named = pods
        .into_iter()
        .find(|pod| pod.metadata.name.as_ref() == Some(wanted));
    match named {
        None if !names.is_empty() => Err(format!("`{wanted}` is none of its pods: {}", names.join(", "))),
        found => Ok(found),
    }
}

/// Why the container is not in the wanted state yet; `None` when it is.
fn lacks(pod: &Pod, container: &str, wanted: &Wanted<'_>, what: &str) -> Result<Option<String>, Failure> {
    let names = container::names(pod);
    if !names.contains(&container) {
        let pod = pod.metadata.name.as_deref().unwrap_or_default();
        let has = names.join(", ");
        let cause = format!("the pod `{pod}` has no container `{container}`; it has: {has}");
        return Err(Failure::refused(what).cause(cause));
    }
    let called = if container == own_container(&wanted.target.which.name) {
        "its container".to_owned()
    } else {
        format!("its container `{container}`")
    };
    let state = container::state(pod, container);
    let ended = state.is_some_and(|state| state.terminated.is_some()) || is_over(pod);
    let runs = state.is_some_and(|state| state.running.is_some());
    match wanted.state {
        State::Any => Ok(None),
        State::Started | State::Running if runs && !ended => Ok(None),
        State::Started if ended => Ok(None),
        State::Running if ended => {
            let code = exit_code(pod, container).map(|code| format!(" with exit code {code}"));
            let cause = format!("{called} has ended{}", code.unwrap_or_default());
            Err(Failure::refused(what).cause(cause))
        }
        State::Started | State::Running => Ok(Some(format!(
            "{called} has not started: {}",
            container::why_waiting(pod, state)
        ))),
    }
}

/// The workload as it is now, unless it ended: then no pod comes any more.
async fn still_coming(api: &Api, which: &Which, what: &str) -> Result<Workload, Failure> {
    let workload = find::workload(api, &which.project, &which.name, what).await?;
    if matches!(workload.phase, Phase::Failed | Phase::Completed) {
        let mut cause = format!("it is {} and its pod is gone", workload.phase.as_str());
        if !workload.phase_message.is_empty() {
            cause = format!("{cause}: {}", workload.phase_message);
        }
        return Err(Failure::refused(what).cause(cause));
    }
    Ok(workload)
}

/// Whether the cluster refuses its pods: its Job is made, which is all that is left to do for it, and a message says why
/// nothing comes of it. That may be over at any time, as when a quota has room again; nobody knows when.
fn is_refused(workload: &Workload) -> bool {
    workload.phase == Phase::Pending && !workload.phase_message.is_empty()
}

/// Why there is no pod, the control plane may know: its message says so.
fn no_pod(workload: &Workload) -> String {
    if workload.phase_message.is_empty() {
        "it has no pod yet".to_owned()
    } else {
        format!("it has no pod yet: {}", workload.phase_message)
    }
}

#[cfg(test)]
mod tests;
