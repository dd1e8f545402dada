//! `reeve logs`: straight from the cluster's API server.

use std::time::Duration;

use k8s_openapi::List;
use k8s_openapi::api::core::v1::Pod;
use reeve_api::workload::{Phase, Workload};
use tokio::time::Instant;

use crate::Context;
use crate::args::{Logs, Which};
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;
use crate::kubernetes::ApiServer;

/// The label that every pod of a workload has.
const WORKLOAD_LABEL: &str = "reeve.dev/workload";
/// How long a container may take to start before the command gives up. With `--follow` it waits on.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
/// A Kubernetes token lives five minutes: who waits longer asks for another in time.
const FRESH: Duration = Duration::from_secs(240);

pub(super) async fn run(context: &mut Context, arguments: Logs) -> Result<(), Failure> {
    let (name, project) = (&arguments.which.name, &arguments.which.project);
    let what = format!("cannot show the logs of `{name}` in project `{project}`");
    let api = Api::signed_in(&context.settings, context.clock.now())?;
    let workload = find::workload(&api, project, name, &what).await?;
    let namespace = workload.namespace.clone();
    let (server, pod) = wait_for_start(&api, &arguments, workload, &what).await?;
    let follow = if arguments.follow { "true" } else { "false" };
    let path = ["api", "v1", "namespaces", &namespace, "pods", &pod, "log"];
    let mut stream = server
        .open(&path, &[("follow", follow)])
        .await
        .map_err(|error| error.explain(&what))?;
    loop {
        match stream.chunk().await {
            Ok(Some(bytes)) => context.printer.raw(&bytes)?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(server.lost(error).explain(what)),
        }
    }
}

/// The cluster's API server, and the name of the newest pod once its container has started.
async fn wait_for_start(
    api: &Api,
    arguments: &Logs,
    mut workload: Workload,
    what: &str,
) -> Result<(ApiServer, String), Failure> {
    let selector = format!("{WORKLOAD_LABEL}={}", workload.name);
    let mut server = ApiServer::connect(api, workload.cluster_id, what).await?;
    let (started, mut connected) = (Instant::now(), Instant::now());
    loop {
        let path = ["api", "v1", "namespaces", &workload.namespace, "pods"];
        let pods: List<Pod> = server
            .get(&path, &[("labelSelector", &selector)])
            .await
            .map_err(|error| error.explain(what))?;
        let newest = pods
            .items
            .into_iter()
            .max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
        let reason = match &newest {
            Some(pod) => match waiting(pod) {
                None => return Ok((server, pod.metadata.name.clone().unwrap_or_default())),
                Some(reason) => reason,
            },
            None => {
                workload = still_coming(api, &arguments.which, what).await?;
                no_pod(&workload)
            }
        };
        if started.elapsed() >= PATIENCE && !arguments.follow {
            let hint = "try again later, or wait with `--follow`";
            return Err(Failure::refused(what).cause(reason).hint(hint));
        }
        tokio::time::sleep(PAUSE).await;
        if connected.elapsed() >= FRESH {
            server = ApiServer::connect(api, workload.cluster_id, what).await?;
            connected = Instant::now();
        }
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

/// Why there is no pod, the control plane may know: its message says so.
fn no_pod(workload: &Workload) -> String {
    if workload.phase_message.is_empty() {
        "it has no pod yet".to_owned()
    } else {
        format!("it has no pod yet: {}", workload.phase_message)
    }
}

/// Why the pod's container has not started; `None` when it has.
fn waiting(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_ref());
    let state = containers
        .and_then(|all| all.first())
        .and_then(|container| container.state.as_ref());
    if state.is_some_and(|state| state.running.is_some() || state.terminated.is_some()) {
        return None;
    }
    let container = state.and_then(|state| state.waiting.as_ref());
    let reason = container.map(|waiting| [waiting.reason.clone(), waiting.message.clone()]);
    let condition = status
        .and_then(|status| status.conditions.as_ref())
        .and_then(|all| all.iter().find(|c| c.status == "False"));
    let reason =
        reason.or_else(|| condition.map(|condition| [condition.reason.clone(), condition.message.clone()]));
    let said: Vec<String> = reason.into_iter().flatten().flatten().collect();
    let why = if said.is_empty() {
        "no reason given".to_owned()
    } else {
        said.join(": ")
    };
    Some(format!("its container has not started: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: serde_json::Value) -> Pod {
        serde_json::from_value(json!({ "status": status })).unwrap()
    }

    #[test]
    fn a_container_that_ran_has_logs() {
        let running = json!({"containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}}]});
        assert_eq!(waiting(&pod(running)), None);
        let ended = json!({"containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 1}}}]});
        assert_eq!(waiting(&pod(ended)), None);
    }

    #[test]
    fn what_a_pod_waits_for_is_said() {
        let pull = json!({"containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
        assert_eq!(
            waiting(&pod(pull)).unwrap(),
            "its container has not started: ImagePullBackOff: no such image"
        );
        let unschedulable = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
        assert_eq!(
            waiting(&pod(unschedulable)).unwrap(),
            "its container has not started: Unschedulable: 0/1 nodes"
        );
        assert_eq!(
            waiting(&pod(json!({}))).unwrap(),
            "its container has not started: no reason given"
        );
    }
}
