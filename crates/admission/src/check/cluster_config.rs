//! ConfigMaps that hold settings of the whole cluster (the reference's `cluster-config`): who may write them (R13).

use constcat::concat;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::{Operation, Request, map};

/// The label by which every namespace knows its own name.
pub(crate) const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Who empties a namespace that is deleted.
const NAMESPACE_CONTROLLER: &str = concat!(names::SERVICE_ACCOUNT_PREFIX, "kube-system:namespace-controller");

/// Whether the request is about such a ConfigMap, before or after, in a namespace where they count.
pub(super) fn concerns(request: &Request) -> bool {
    let labelled = |object: &serde_json::Value| {
        map(object, "/metadata/labels")
            .get(names::CLUSTER_CONFIG)
            .is_some_and(|value| *value == names::ON)
    };
    let namespace = request.namespace_labels.get(NAMESPACE_NAME).map(String::as_str);
    request.kind() == "ConfigMap"
        && [names::REFERENCE_NAMESPACE, names::SYSTEM_NAMESPACE]
            .iter()
            .any(|name| namespace == Some(*name))
        && (labelled(&request.object) || request.old_object.as_ref().is_some_and(labelled))
}

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "cluster-config-writer",
    policy: Policy::ClusterConfig,
    rule: Rule(13),
    problem: "this ConfigMap holds settings of the whole cluster",
    named: None,
    remedy: concat!(
        "ask an administrator of the cluster or a member of the group ",
        names::INSTALLERS,
        " to write it"
    ),
    cel: concat!(
        "request.userInfo.?groups.orValue([]).exists(g, g in ['",
        names::CLUSTER_ADMINS,
        "', '",
        names::INSTALLERS,
        "', '",
        names::MASTERS,
        "']) || (request.operation == 'DELETE' && request.userInfo.?username.orValue('') == '",
        NAMESPACE_CONTROLLER,
        "')"
    ),
    predicate: |r| {
        let user = &r.user;
        user.is_installer()
            || names::ADMINISTRATORS.iter().any(|group| user.in_group(group))
            || (r.operation == Operation::Delete && user.username == NAMESPACE_CONTROLLER)
    },
}];
