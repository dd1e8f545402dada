//! Ingresses, OpenShift's Routes and NetworkPolicies reach beyond one person, so the namespace has to allow them to people (R24).

use constcat::concat;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::Request;

/// Whoever is no person and no application of ours, or looks after the cluster: RBAC decides of them alone.
fn is_exempt(request: &Request) -> bool {
    let user = &request.user;
    user.is_installer()
        || user.username.starts_with("system:")
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
          request.userInfo.?username.orValue('').startsWith('system:') || \
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
