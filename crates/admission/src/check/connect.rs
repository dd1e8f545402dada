//! Connections to what runs: `exec`, `attach`, `port-forward`, `proxy` (R8).
//!
//! The API server shows a policy of connections the pod's name and who asks, not the pod. So the operator keeps one
//! `PodIdentities` in each project's namespace, which maps stamps to names of pods, and the policy reads it as its
//! parameter. It is written after the pod was made and removed when the pod goes, each a moment late: a name that somebody
//! else takes over in that moment (or while no operator runs) would still be listed. Therefore a second policy reads the
//! pods themselves, as the API server's own cache has them, wherever a name can be chosen: both must agree.

use constcat::concat;
use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::names;
use crate::request::{Request, map, text};

/// The stamps under which the namespace's `PodIdentities` lists a pod.
fn listed(request: &Request) -> impl Iterator<Item = &str> {
    let all = request
        .parameters
        .identities
        .pointer("/spec/runsAs")
        .and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter(|(_, pods)| {
            pods.as_array()
                .is_some_and(|pods| pods.iter().any(|pod| pod == &request.name))
        })
        .map(|(stamp, _)| stamp.as_str())
}

/// Said by two policies, since the API server takes them in no fixed order.
const NOT_YOURS: &str = "ask that person, or run the same as yourself; if it is yours and your uid, gid or groups changed \
                         since, start it again";

/// Paths of the kubelet that show how a node is, and run nothing.
const NODE_PATHS: [&str; 9] = [
    "configz",
    "flagz",
    "healthz",
    "logs",
    "metrics",
    "pods",
    "runningpods",
    "stats",
    "statusz",
];

/// The kubelet takes `metrics/../run` for `run`, and the API server hands it on as it came.
fn shows_only(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let plain = !path.contains("..") && !rest.contains('%');
    plain && (path.is_empty() || NODE_PATHS.contains(&first))
}

pub(super) static CHECKS: [Check; 5] = [
    Check {
        id: "connect-known",
        policy: Policy::Connect,
        rule: Rule(8),
        problem: "it is not known whose this pod is",
        named: Named::always(
            "'it is not known whose the pod ' + request.name + ' is: it has just been made, has ended, is being \
             deleted, or runs as nobody'",
        ),
        remedy: "try again in a moment; what runs as nobody is entered by nobody: write it as yourself",
        cel: "variables.known",
        predicate: |r| listed(r).next().is_some(),
    },
    Check {
        id: "connect-owner",
        policy: Policy::Connect,
        rule: Rule(8),
        problem: "this pod runs as somebody else, and only that person may step into it",
        named: Named::always(
            "'the pod ' + request.name + ' runs as ' + variables.runsAs.map(s, s).filter(s, request.name in \
             variables.runsAs[s]).join(' and ') + ' (user id/uid/gid/groups), and only that person may step into it; \
             you are ' + (variables.mine == '' ? 'somebody without a verified identity' : variables.mine)",
        ),
        remedy: NOT_YOURS,
        cel: "!variables.known || (variables.mine != '' && variables.runsAs.all(s, s == variables.mine || \
              !(request.name in variables.runsAs[s])))",
        predicate: |r| {
            let mine = r.user.stamp();
            listed(r).all(|stamp| !mine.is_empty() && stamp == mine)
        },
    },
    Check {
        id: "connect-current",
        policy: Policy::ConnectPods,
        rule: Rule(8),
        problem: "this pod runs as somebody else, and only that person may step into it",
        named: Named::always(concat!(
            "'the pod ' + request.name + ' runs as ' + params.metadata.?annotations[?'",
            names::RUNS_AS,
            "']\
             .orValue('nobody') + ' (user id/uid/gid/groups), and only that person may step into it; you are ' + \
             (variables.mine == '' ? 'somebody without a verified identity' : variables.mine)"
        )),
        remedy: NOT_YOURS,
        cel: concat!(
            "params.metadata.name != request.name || (variables.mine != '' && \
              params.metadata.?annotations[?'",
            names::RUNS_AS,
            "'].orValue('') == variables.mine)"
        ),
        predicate: |r| {
            let mine = r.user.stamp();
            r.parameters
                .pods
                .iter()
                .filter(|pod| text(pod, "/metadata/name") == r.name)
                .all(|pod| {
                    let stamp = map(pod, "/metadata/annotations").get(names::RUNS_AS).copied();
                    !mine.is_empty() && stamp == Some(mine.as_str())
                })
        },
    },
    Check {
        id: "proxy",
        policy: Policy::Proxies,
        rule: Rule(8),
        problem: "the proxy of the API server reaches what runs as somebody, and cannot tell whose it is",
        named: None,
        remedy: "reach your own pod with kubectl port-forward or reeve port-forward, a Service by its name from inside \
                 the project",
        cel: "request.resource.resource == 'nodes'",
        predicate: |r| r.kind() == "NodeProxyOptions",
    },
    Check {
        id: "node-proxy",
        policy: Policy::Proxies,
        rule: Rule(8),
        problem: "this path of the kubelet runs a command in any container of the node",
        named: None,
        remedy: "step into a pod with kubectl exec, where it is checked whose the pod is",
        cel: "request.resource.resource != 'nodes' || [dyn(object).?path.orValue('')].all(p, !p.contains('..') && \
              p.matches('^/?((configz|flagz|healthz|logs|metrics|pods|runningpods|stats|statusz)(/[^%]*)?)?$'))",
        predicate: |r| r.kind() != "NodeProxyOptions" || shows_only(text(&r.object, "/path")),
    },
];

/// The label selectors of the pods whose names people can choose: made by hand, or by a StatefulSet. Names of other
/// controllers' pods end in random letters.
pub(crate) const CHOSEN_NAMES: [&str; 3] = [
    "batch.kubernetes.io/job-name",
    "pod-template-hash",
    "pod-template-generation",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expression_names_the_paths_of_the_list_and_no_others() {
        let cel = CHECKS.iter().find(|c| c.id == "node-proxy").unwrap().cel;
        assert!(cel.contains(&format!("({})", NODE_PATHS.join("|"))), "{cel}");
    }
}
