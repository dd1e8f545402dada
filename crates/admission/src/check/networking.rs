//! Ingresses, OpenShift's Routes and NetworkPolicies reach beyond one person, so the namespace has to allow them to people (R24).

use constcat::concat;

use super::{Check, Policy, Rule};
use crate::names::{self, SERVICE_ACCOUNT_PREFIX};
use crate::request::Request;

/// The controllers of the cluster, and whoever looks after it: RBAC decides of them alone. A ServiceAccount of a project's namespace
/// is none of these: a person runs pods under it.
fn is_exempt(request: &Request) -> bool {
    let user = &request.user;
    let of_the_namespace = format!("{SERVICE_ACCOUNT_PREFIX}{}:", request.namespace);
    user.is_installer()
        || (user.username.starts_with("system:") && !user.username.starts_with(&of_the_namespace))
        || names::ADMINISTRATORS.iter().any(|group| user.in_group(group))
}

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "networking",
    policy: Policy::Networking,
    rule: Rule(24),
    problem: "an Ingress or a Route takes a name of the whole cluster, and a NetworkPolicy cuts off the pods of everybody in the project",
    named: None,
    remedy: concat!(
        "ask a member of the group ",
        names::INSTALLERS,
        " to write it, or to allow it to this project: label \
             ",
        names::ALLOW_NETWORKING,
        ": true of the namespace, or reeve project allow-networking PROJECT"
    ),
    cel: concat!(
        "namespaceObject.metadata.?labels[?'",
        names::ALLOW_NETWORKING,
        "'].orValue('') == 'true' || \
          [request.userInfo.?username.orValue('')].exists(u, u.startsWith('system:') && !u.startsWith('",
        SERVICE_ACCOUNT_PREFIX,
        "' + \
          request.namespace + ':')) || \
          request.userInfo.?groups.orValue([]).exists(g, g in ['",
        names::CLUSTER_ADMINS,
        "', '",
        names::INSTALLERS,
        "', \
          '",
        names::MASTERS,
        "'])"
    ),
    predicate: |r| r.allows(names::ALLOW_NETWORKING) || is_exempt(r),
}];
