//! What a pod says of its containers.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

/// The names of all containers, those of the workload first.
pub(super) fn names(pod: &Pod) -> Vec<&str> {
    let spec = pod.spec.iter();
    spec.flat_map(|spec| {
        let ordinary = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten());
        let added = spec.ephemeral_containers.iter().flatten();
        ordinary
            .map(|container| container.name.as_str())
            .chain(added.map(|container| container.name.as_str()))
    })
    .collect()
}

/// What a container does.
pub(super) fn state<'a>(pod: &'a Pod, container: &str) -> Option<&'a ContainerState> {
    let status = pod.status.as_ref()?;
    let of = |all: &'a Option<Vec<ContainerStatus>>| all.iter().flatten();
    of(&status.container_statuses)
        .chain(of(&status.init_container_statuses))
        .chain(of(&status.ephemeral_container_statuses))
        .find(|status| status.name == container)?
        .state
        .as_ref()
}

/// Whether nothing in the pod runs any more: one that was evicted may say nothing of its containers.
pub(in crate::commands) fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The exit code of a container that ended.
pub(in crate::commands) fn exit_code(pod: &Pod, container: &str) -> Option<i32> {
    Some(state(pod, container)?.terminated.as_ref()?.exit_code)
}

/// Why a container has not started, in the cluster's words.
pub(super) fn why_waiting(pod: &Pod, state: Option<&ContainerState>) -> String {
    let container = state.and_then(|state| state.waiting.as_ref());
    let reason = container.map(|waiting| [waiting.reason.clone(), waiting.message.clone()]);
    let condition = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .find(|condition| condition.status == "False");
    let reason =
        reason.or_else(|| condition.map(|condition| [condition.reason.clone(), condition.message.clone()]));
    let said: Vec<String> = reason.into_iter().flatten().flatten().collect();
    if said.is_empty() {
        "no reason given".to_owned()
    } else {
        said.join(": ")
    }
}
