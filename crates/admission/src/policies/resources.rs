//! The resources that policies look at, as their rules name them.

use reeve_types::TemplateKind;
use serde_json::{Value, json};

use crate::names;

/// Some resources of a group, of the version that we write policies for.
pub(super) fn rule(group: &str, operations: &[&str], resources: &[&str]) -> Value {
    let version = if group == names::GROUP {
        names::VERSION
    } else {
        "v1"
    };
    json!({"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": resources})
}

/// The resources of kinds of others, with what of them their controllers go by.
pub(super) fn kind_rules(operations: &[&str], status: bool) -> Vec<Value> {
    let of = |kind: TemplateKind| {
        let plural = kind.plural();
        let status = status.then(|| format!("{plural}/status"));
        let resources: Vec<String> = [plural.to_owned()].into_iter().chain(status).collect();
        json!({"apiGroups": [kind.group()], "apiVersions": [kind.version()], "operations": operations, "resources": resources})
    };
    TemplateKind::ALL.into_iter().map(of).collect()
}

/// Connections into pods.
pub(super) fn connect_rule() -> Value {
    rule(
        "",
        &["CONNECT"],
        &["pods/attach", "pods/exec", "pods/portforward"],
    )
}

/// Pods and the seven kinds that make them, with every subresource that can change what they say.
pub(super) fn template_rules() -> Vec<Value> {
    let write: &[&str] = &["CREATE", "UPDATE"];
    let core = [
        "pods",
        "pods/ephemeralcontainers",
        "pods/resize",
        "pods/status",
        "replicationcontrollers",
        "replicationcontrollers/status",
    ];
    let batch = ["jobs", "jobs/status", "cronjobs", "cronjobs/status"];
    let apps = [
        "deployments",
        "deployments/status",
        "statefulsets",
        "statefulsets/status",
        "replicasets",
        "replicasets/status",
        "daemonsets",
        "daemonsets/status",
    ];
    vec![
        rule("", write, &core),
        rule("batch", write, &batch),
        rule("apps", write, &apps),
    ]
}
