//! Objects of the cluster in a line or two each.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::RoleBinding;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::Workload;

/// Its labels: ours, then those of Pod Security.
pub(super) fn namespace(namespace: &Namespace) -> String {
    let mut lines = vec![format!("Namespace {}", name(&namespace.metadata))];
    let labels = namespace.metadata.labels.iter().flatten();
    let (pod_security, ours): (Vec<_>, Vec<_>) = labels
        .filter(|(key, _)| *key != "kubernetes.io/metadata.name")
        .partition(|(key, _)| key.starts_with(names::POD_SECURITY_PREFIX));
    for part in [ours, pod_security] {
        let pairs: Vec<_> = part.iter().map(|(key, value)| format!("{key}={value}")).collect();
        lines.push(format!("  {}", pairs.join(", ")));
    }
    lines.join("\n")
}

/// Its role and its subjects.
pub(super) fn binding(binding: &RoleBinding) -> String {
    let subjects: Vec<_> = binding
        .subjects
        .iter()
        .flatten()
        .map(|s| s.name.as_str())
        .collect();
    format!(
        "RoleBinding {} → ClusterRole {}: {}",
        name(&binding.metadata),
        binding.role_ref.name,
        subjects.join(", ")
    )
}

/// What runs, who asked, and as whom it runs.
pub(super) fn workload(workload: &Workload) -> String {
    let spec = &workload.spec;
    let home = if spec.create_home_dir {
        ", with a home of its own"
    } else {
        ""
    };
    let identity = spec.identity.as_ref().map(|who| {
        let groups: Vec<_> = who.supplementary_groups.iter().map(ToString::to_string).collect();
        let (email, uid, gid) = (&who.email, who.uid, who.gid);
        format!("{email}, uid {uid}, gid {gid}, groups {}", groups.join(" "))
    });
    format!(
        "Workload {}: image {}, submitted by {}{home}\n  runs as {}",
        name(&workload.metadata),
        spec.image,
        spec.submitted_by,
        identity.unwrap_or_else(|| "nobody in particular".to_owned())
    )
}

/// Whose it is, and the stamp of its template.
pub(super) fn job(job: &Job) -> String {
    let mut owners = job.metadata.owner_references.iter().flatten();
    let owner = owners
        .find(|owner| owner.controller == Some(true))
        .map_or_else(String::new, |owner| format!(" of {} {}", owner.kind, owner.name));
    let template = job.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    format!(
        "Job {}{owner}: its template is stamped {}",
        name(&job.metadata),
        stamp(template)
    )
}

/// Its stamp and its phase.
pub(super) fn pod(pod: &Pod) -> String {
    format!(
        "Pod {} is stamped {}: {}",
        name(&pod.metadata),
        stamp(Some(&pod.metadata)),
        phase(pod)
    )
}

/// Whether it has run to its end, good or bad.
pub(super) fn is_over(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Why a pod that is over did not end well; `None` when it did.
pub(super) fn failure(pod: &Pod) -> Option<String> {
    if phase(pod) == "Succeeded" {
        return None;
    }
    let status = pod.status.as_ref();
    let said = status.and_then(|status| status.message.clone());
    let containers = status.and_then(|status| status.container_statuses.as_ref());
    let ended = containers.into_iter().flatten().filter_map(|container| {
        let end = container.state.as_ref()?.terminated.as_ref()?;
        Some(format!(
            "container {} ended with {}",
            container.name, end.exit_code
        ))
    });
    let why: Vec<_> = said.into_iter().chain(ended).collect();
    Some(format!(
        "pod {} is {}: {}",
        name(&pod.metadata),
        phase(pod),
        if why.is_empty() {
            "no reason given".to_owned()
        } else {
            why.join("; ")
        }
    ))
}

fn name(meta: &ObjectMeta) -> String {
    let own = meta.name.as_deref().unwrap_or_default();
    match &meta.namespace {
        Some(namespace) => format!("{namespace}/{own}"),
        None => own.to_owned(),
    }
}

fn stamp(meta: Option<&ObjectMeta>) -> &str {
    meta.and_then(|meta| meta.annotations.as_ref())
        .and_then(|annotations| annotations.get(names::RUNS_AS))
        .map_or("with nothing", String::as_str)
}

fn phase(pod: &Pod) -> &str {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase.unwrap_or("of no phase")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod_with(status: serde_json::Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "n"}, "status": status}))
            .unwrap()
    }

    #[test]
    fn a_pod_that_failed_is_a_failure_with_its_reason() {
        let failed = pod_with(
            json!({"phase": "Failed", "containerStatuses": [{"name": "main", "image": "i",
            "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": 7}}}]}),
        );
        assert!(is_over(&failed));
        assert_eq!(
            failure(&failed).unwrap(),
            "pod n/p is Failed: container main ended with 7"
        );
        let refused = pod_with(json!({"phase": "Failed", "message": "the node cannot do Strict"}));
        assert_eq!(
            failure(&refused).unwrap(),
            "pod n/p is Failed: the node cannot do Strict"
        );
        assert_eq!(failure(&pod_with(json!({"phase": "Succeeded"}))), None);
    }

    #[test]
    fn what_has_no_stamp_is_not_given_one() {
        assert_eq!(
            pod(&pod_with(json!({"phase": "Pending"}))),
            "Pod n/p is stamped with nothing: Pending"
        );
    }
}
