//! Secrets and Services: the kinds of them that reach out of a project, or outlast the right to make them.

use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::{Operation, Request, list, map, text};

/// The ServiceAccount whose token a Secret holds; empty for every other Secret.
fn account(object: &Value) -> &str {
    if text(object, "/type") == names::TOKEN_SECRET {
        map(object, "/metadata/annotations")
            .get(names::TOKEN_SECRET_ACCOUNT)
            .copied()
            .unwrap_or("")
    } else {
        ""
    }
}

fn old(request: &Request) -> Option<&Value> {
    request
        .old_object
        .as_ref()
        .filter(|_| request.operation == Operation::Update)
}

pub(super) static CHECKS: [Check; 2] = [
    Check {
        id: "token-secret",
        policy: Policy::SecretsAndServices,
        rule: Rule(5),
        problem: "a Secret of type kubernetes.io/service-account-token holds a token that never expires and is nobody",
        problem_cel: None,
        remedy: "sign in with reeve login and take a token of your own (reeve kubeconfig set); for a program that must \
                 reach the API server ask a member of the group reeve:installers",
        // The type cannot change, the account can: the controller that fills the token in leaves it alone.
        cel: "dyn(object).?type.orValue('') != 'kubernetes.io/service-account-token' || variables.installer || \
              (variables.update && variables.account == variables.oldAccount)",
        predicate: |r| {
            text(&r.object, "/type") != names::TOKEN_SECRET
                || r.user.is_installer()
                || old(r).is_some_and(|old| account(old) == account(&r.object))
        },
    },
    Check {
        id: "external-ips",
        policy: Policy::SecretsAndServices,
        rule: Rule(16),
        problem: "spec.externalIPs of a Service takes over traffic that every node sends to these addresses",
        problem_cel: None,
        remedy: "remove externalIPs, and reach the Service by its name, a NodePort or a LoadBalancer; by hand only the \
                 group reeve:installers may add an address",
        cel: "variables.installer || variables.externalIPs.all(ip, ip in variables.oldExternalIPs)",
        predicate: |r| {
            let before = old(r).map_or(&[][..], |o| list(o, "/spec/externalIPs"));
            r.user.is_installer()
                || list(&r.object, "/spec/externalIPs")
                    .iter()
                    .all(|ip| before.contains(ip))
        },
    },
];
