//! Secrets, Services and claims: the kinds of them that reach out of a project, outlast the right to make them, or say by
//! their name whose they are.

use constcat::concat;
use serde_json::Value;

use super::ownership::{is_controller, owners};
use super::placement::{is_digits, is_new, uid_of};
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

/// Whether the name of a claim says that a StatefulSet of some person made it: `^.+-u[0-9]+-.+-[0-9]+$` (R21).
pub fn is_marked_claim(name: &str) -> bool {
    // What is between the ordinal at the end and some part that is `u` and digits, neither at the beginning.
    let Some((before, ordinal)) = name.rsplit_once('-') else {
        return false;
    };
    let parts: Vec<&str> = before.split('-').collect();
    is_digits(ordinal)
        && parts.iter().enumerate().any(|(i, part)| {
            let (left, right) = (parts.get(..i), parts.get(i + 1..));
            uid_of(part).is_some()
                && left.is_some_and(|left| !left.join("-").is_empty())
                && right.is_some_and(|right| !right.join("-").is_empty())
        })
}

const CLAIM_MAKERS: [&str; 2] = [names::STATEFUL_SET_CONTROLLER, "system:kube-controller-manager"];
const CLAIM_BINDERS: [&str; 2] = [
    concat!(
        names::SERVICE_ACCOUNT_PREFIX,
        "kube-system:persistent-volume-binder"
    ),
    "system:kube-controller-manager",
];

/// Who makes the claims of pods' ephemeral volumes.
const EPHEMERAL_VOLUMES: &str = concat!(
    names::SERVICE_ACCOUNT_PREFIX,
    "kube-system:ephemeral-volume-controller"
);
/// Who makes claims for pods and StatefulSets, and names them as their owners.
const CLAIM_OWNERS: [&str; 3] = [
    EPHEMERAL_VOLUMES,
    names::STATEFUL_SET_CONTROLLER,
    "system:kube-controller-manager",
];

/// Whether a claim names a StorageClass, its own or the cluster's default, which is filled in when it is made.
fn has_class(claim: &Value) -> bool {
    !text(claim, "/spec/storageClassName").is_empty()
}

/// Whether a controller takes the claim for its own by this reference: then the pod of that name may have it, as if it were
/// new, and it goes with that pod.
fn owns(owner: &Value) -> bool {
    is_controller(owner) || matches!(text(owner, "/kind"), "Pod" | "StatefulSet")
}

fn same_owner(one: &Value, other: &Value) -> bool {
    ["/uid", "/kind", "/name"]
        .iter()
        .all(|field| text(one, field) == text(other, field))
        && is_controller(one) == is_controller(other)
}

pub(super) static CHECKS: [Check; 6] = [
    Check {
        id: "claim-name",
        policy: Policy::Claims,
        rule: Rule(21),
        problem: "a claim whose name says -u and a uid is made from a StatefulSet of that person, and by its controller",
        named: None,
        remedy: "give the claim a name without -u and digits before its last part; in volumeClaimTemplates take no \
                 volumeName, dataSource, dataSourceRef or selector, and a storageClassName where the cluster has no default",
        cel: concat!(
            "request.operation != 'CREATE' || !object.metadata.name.matches('^.+-u[0-9]+-.+-[0-9]+$') || \
              (!('",
            names::EXTRA_POD_NAME,
            "' in variables.extra) && variables.username in \
              ['",
            names::STATEFUL_SET_CONTROLLER,
            "', 'system:kube-controller-manager'] && \
              !has(object.spec.volumeName) && !has(object.spec.dataSource) && !has(object.spec.dataSourceRef) && \
              !has(object.spec.selector) && object.spec.?storageClassName.orValue('') != '')"
        ),
        predicate: |r| {
            r.operation != Operation::Create
                || !is_marked_claim(text(&r.object, "/metadata/name"))
                || (CLAIM_MAKERS.contains(&r.user.username.as_str())
                    && r.user.extra(names::EXTRA_POD_NAME).is_empty()
                    && is_new(&r.object)
                    && has_class(&r.object))
        },
    },
    Check {
        id: "claim-class",
        policy: Policy::Claims,
        rule: Rule(21),
        problem: "a claim that is made for a pod and names no StorageClass, where the cluster has no default, gets any volume that \
                  was made by hand and waits for a claim",
        named: None,
        remedy: "write storageClassName into the ephemeral volume of the pod",
        // A default was filled in before anybody judges. An empty name is judged with the pod, whose fsGroup nobody sees here.
        cel: concat!(
            "request.operation != 'CREATE' || has(object.spec.storageClassName) || has(object.spec.volumeName) || \
              !(variables.username in ['",
            EPHEMERAL_VOLUMES,
            "', 'system:kube-controller-manager']) || \
              !object.metadata.?ownerReferences.orValue([]).exists(o, o.kind == 'Pod' && o.?controller.orValue(false))"
        ),
        predicate: |r| {
            r.operation != Operation::Create
                || r.object.pointer("/spec/storageClassName").is_some()
                || r.object.pointer("/spec/volumeName").is_some()
                || ![EPHEMERAL_VOLUMES, "system:kube-controller-manager"].contains(&r.user.username.as_str())
                || !owners(Some(&r.object))
                    .iter()
                    .any(|owner| text(owner, "/kind") == "Pod" && is_controller(owner))
        },
    },
    Check {
        id: "claim-volume",
        policy: Policy::Claims,
        rule: Rule(21),
        problem: "a claim that is made anew may not be given a volume that is there already",
        named: None,
        remedy: concat!(
            "name the volume when you make the claim, or leave it to the cluster; by hand only the group \
                 ",
            names::INSTALLERS,
            " may set volumeName later"
        ),
        cel: concat!(
            "request.operation != 'UPDATE' || variables.installer || object.spec.?volumeName.orValue('') == \
              oldObject.spec.?volumeName.orValue('') || (!('",
            names::EXTRA_POD_NAME,
            "' in variables.extra) \
              && variables.username in ['",
            names::SERVICE_ACCOUNT_PREFIX,
            "kube-system:persistent-volume-binder', \
              'system:kube-controller-manager'])"
        ),
        predicate: |r| {
            let volume = |object| text(object, "/spec/volumeName");
            old(r).is_none_or(|old| volume(old) == volume(&r.object))
                || r.user.is_installer()
                || (CLAIM_BINDERS.contains(&r.user.username.as_str())
                    && r.user.extra(names::EXTRA_POD_NAME).is_empty())
        },
    },
    Check {
        id: "claim-owner",
        policy: Policy::Claims,
        rule: Rule(21),
        problem: "an owner makes a claim that of a pod or of a StatefulSet, which gets it as if it were new, and takes it along \
                  when it goes",
        named: None,
        remedy: "remove the ownerReference: the controllers of ephemeral volumes and of StatefulSets write it themselves",
        cel: concat!(
            "variables.installer || (!('",
            names::EXTRA_POD_NAME,
            "' in variables.extra) && variables.username in ['",
            EPHEMERAL_VOLUMES,
            "', '",
            names::STATEFUL_SET_CONTROLLER,
            "', 'system:kube-controller-manager']) || object.metadata.?ownerReferences.orValue([]).all(o, \
              (!o.?controller.orValue(false) && !(o.kind in ['Pod', 'StatefulSet'])) || \
              (request.operation == 'UPDATE' && oldObject.metadata.?ownerReferences.orValue([]).exists(p, \
              p.uid == o.uid && p.kind == o.kind && p.name == o.name && \
              p.?controller.orValue(false) == o.?controller.orValue(false))))"
        ),
        predicate: |r| {
            let before = owners(old(r));
            r.user.is_installer()
                || (CLAIM_OWNERS.contains(&r.user.username.as_str())
                    && r.user.extra(names::EXTRA_POD_NAME).is_empty())
                || owners(Some(&r.object))
                    .iter()
                    .all(|owner| !owns(owner) || before.iter().any(|known| same_owner(known, owner)))
        },
    },
    Check {
        id: "token-secret",
        policy: Policy::SecretsAndServices,
        rule: Rule(5),
        problem: concat!(
            "a Secret of type ",
            names::TOKEN_SECRET,
            " holds a token that never expires and is nobody"
        ),
        named: None,
        remedy: concat!(
            "a person takes a token of their own (reeve kubeconfig set); for a program that must reach the API server \
                 ask a member of the group ",
            names::INSTALLERS
        ),
        // The type cannot change, the account can: the controller that fills the token in leaves it alone.
        cel: concat!(
            "dyn(object).?type.orValue('') != '",
            names::TOKEN_SECRET,
            "' || variables.installer || \
              (variables.update && variables.account == variables.oldAccount)"
        ),
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
        named: None,
        remedy: concat!(
            "remove externalIPs, and reach the Service by its name, a NodePort or a LoadBalancer; by hand only the \
                 group ",
            names::INSTALLERS,
            " may add an address"
        ),
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
