//! The security context must be the stamp's, wherever identity is enforced (R6).

use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::view::View;

const REMOVE: &str = "remove the field, it is filled in with your own";

fn number(value: Option<&Value>) -> String {
    value.and_then(Value::as_i64).unwrap_or(-1).to_string()
}

fn joined(value: Option<&Value>) -> String {
    let numbers = value.and_then(Value::as_array).into_iter().flatten();
    numbers.map(|n| number(Some(n))).collect::<Vec<_>>().join(".")
}

/// Holds unless identity is enforced here and something changes.
fn where_enforced(v: &View<'_>, rule: impl FnOnce([&str; 4]) -> bool) -> bool {
    !v.changed || !v.enforced || rule(v.identity())
}

pub(super) static CHECKS: [Check; 8] = [
    Check {
        id: "pod-user",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "runAsUser of the pod is not the uid of its stamp",
        named: Named::unless(
            "variables.stamp.contains('/' + string(variables.context.?runAsUser.orValue(0)) + '/')",
            "'runAsUser of the pod is ' + string(variables.context.?runAsUser.orValue('not set')) + ', its stamp says \
             ' + variables.identity[1]",
        ),
        remedy: REMOVE,
        cel: "variables.worn || variables.unjudged || \
              string(variables.context.?runAsUser.orValue(-1)) == variables.identity[1]",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, uid, _, _]| number(v.context("/runAsUser")) == uid)
        },
    },
    Check {
        id: "pod-group",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "runAsGroup of the pod is not the gid of its stamp",
        named: None,
        remedy: "remove the field, it is filled in with your own primary group; your other groups are there as \
                 supplementary ones: give a directory to one of them with chgrp and chmod g+s",
        cel: "variables.worn || variables.unjudged || \
              string(variables.context.?runAsGroup.orValue(-1)) == variables.identity[2]",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, _, gid, _]| number(v.context("/runAsGroup")) == gid)
        },
    },
    Check {
        id: "supplemental-groups",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "supplementalGroups of the pod are not the groups of its stamp",
        named: Named::unless(
            "!has(variables.context.supplementalGroups) || variables.stamp.endsWith('/' + \
             variables.context.supplementalGroups.map(g, string(g)).join('.'))",
            "'supplementalGroups of the pod are ' + variables.context.?supplementalGroups.orValue(dyn([])).map(g, \
             string(g)).join('.') + ', its stamp says ' + variables.identity[3]",
        ),
        remedy: REMOVE,
        cel: "variables.worn || variables.unjudged || variables.context.?supplementalGroups.orValue(dyn([]))\
              .map(g, string(g)).join('.') == variables.identity[3]",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, _, _, groups]| {
                joined(v.context("/supplementalGroups")) == groups
            })
        },
    },
    Check {
        id: "groups-policy",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "supplementalGroupsPolicy must be Strict, or the image could add groups",
        named: None,
        remedy: "remove the field, Strict is filled in",
        cel: "variables.worn || variables.unjudged || \
              variables.context.?supplementalGroupsPolicy.orValue('') == 'Strict'",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |_| v.context_text("/supplementalGroupsPolicy") == "Strict")
        },
    },
    Check {
        id: "fs-group",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "fsGroup joins the groups of every process, and is none of the groups of the stamp",
        named: None,
        remedy: "remove fsGroup, or take one of your own groups",
        cel: "variables.worn || variables.unjudged || !has(variables.context.fsGroup) || \
              string(variables.context.fsGroup) in [variables.identity[2]] + variables.identity[3].split('.')",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, _, gid, groups]| {
                let group = number(v.context("/fsGroup"));
                v.context("/fsGroup").is_none() || group == gid || groups.split('.').any(|g| g == group)
            })
        },
    },
    Check {
        id: "container-user",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a container takes another runAsUser than its pod",
        named: None,
        remedy: "remove runAsUser from containers, initContainers and ephemeralContainers; in place of one that runs chown \
                 as root, fsGroup makes a new volume yours (docs/security/volumes.md)",
        cel: "variables.ordinary || !variables.enforced || variables.containers.all(c, \
              !has(c.securityContext) || !has(c.securityContext.runAsUser) || \
              string(c.securityContext.runAsUser) == variables.identity[1])",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, uid, _, _]| {
                let user = |c: &Value| {
                    c.pointer("/securityContext/runAsUser")
                        .is_none_or(|u| number(Some(u)) == uid)
                };
                v.containers().all(user)
            })
        },
    },
    Check {
        id: "container-group",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a container takes another runAsGroup than its pod",
        named: None,
        remedy: "remove runAsGroup from containers, initContainers and ephemeralContainers",
        cel: "variables.ordinary || !variables.enforced || variables.containers.all(c, \
              !has(c.securityContext) || !has(c.securityContext.runAsGroup) || \
              string(c.securityContext.runAsGroup) == variables.identity[2])",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |[_, _, gid, _]| {
                let group = |c: &Value| {
                    c.pointer("/securityContext/runAsGroup")
                        .is_none_or(|g| number(Some(g)) == gid)
                };
                v.containers().all(group)
            })
        },
    },
    Check {
        id: "windows-user",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "windowsOptions choose a user of Windows, who is not the person of the stamp",
        named: None,
        remedy: "remove windowsOptions from the pod and its containers; people have uid and gid on Linux only",
        // A pod that says os.name: windows may not say runAsUser either, which the API server sees to by itself.
        cel: "variables.ordinary || !variables.enforced || (!has(variables.context.windowsOptions) && \
              variables.containers.all(c, !has(c.securityContext) || !has(c.securityContext.windowsOptions)))",
        predicate: |r| {
            let v = View::of(r);
            where_enforced(&v, |_| {
                v.context("/windowsOptions").is_none()
                    && v.containers()
                        .all(|c| c.pointer("/securityContext/windowsOptions").is_none())
            })
        },
    },
];
