//! That nothing is forgotten: every check of pods is tried on every kind and at every level, allowed and refused, but
//! for what cannot be, and of that every exception says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use reeve_admission::{Check, Policy, checks};

use crate::fixture::{CHANGEABLE, KINDS};
use crate::table::rows;

/// One field of the grid: a check that refuses or allows something of this kind at this level.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Field<'a> {
    check: &'a str,
    refused: bool,
    kind: &'a str,
    level: &'a str,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.refused { "refused" } else { "allowed" };
        write!(f, "{}: {verdict}: {} at {}", self.check, self.kind, self.level)
    }
}

/// Fields that cannot be filled.
struct Exception {
    checks: &'static [&'static str],
    refused: &'static [bool],
    kinds: &'static [&'static str],
    levels: &'static [&'static str],
    why: &'static str,
}

const BOTH: &[bool] = &[true, false];
const REFUSED: &[bool] = &[true];
const ALLOWED: &[bool] = &[false];
const CONTAINERS: &[&str] = &["container", "init"];
const DEBUG: &[&str] = &["ephemeral"];
const POD: &[&str] = &["Pod"];
const ALL_BUT_PODS: &[&str] = KINDS.split_at(1).1;
const ALL_BUT_JOBS_AND_CRON_JOBS: &[&str] = &[
    "Pod",
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "ReplicationController",
];
const ALL_BUT_JOBS: &[&str] = &[
    "Pod",
    "CronJob",
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "ReplicationController",
];
const ALL_BUT_STATEFUL_SETS: &[&str] = &[
    "Pod",
    "Job",
    "CronJob",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "ReplicationController",
];
const ALL_BUT_DEPLOYMENTS: &[&str] = &[
    "Pod",
    "Job",
    "CronJob",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "ReplicationController",
];

/// Who asks, and whose it is.
const OF_WRITERS: &[&str] = &[
    "stamp-unchanged",
    "rollback-annotation",
    "verified-identity",
    "template-owner",
    "debug-owner",
    "controller-template",
    "controller-owner",
    "operator-template",
    "operator-workload",
    "own-stamp",
    "stamp-without-identity",
    "stamp-form",
    "stamp-present",
    "relayed-owner",
];
const OF_PODS: &[&str] = &[
    "pod-user",
    "pod-group",
    "supplemental-groups",
    "groups-policy",
    "fs-group",
    "host-namespaces",
    "volume-types",
    "sysctls",
    "foreign-metadata",
    "foreign-job",
    "relayed-labels",
    "reeve-owner",
    "controller-reference",
    "reeve-labels",
    "user-label",
    "controller-labels",
    "manual-selector",
    "controller-finalizers",
    "priority-class",
    "tolerations",
    "fs-group-volumes",
    "fs-group-claims",
    "group-range",
    "passwd-entry",
    "csi-drivers",
    "token-volume",
    "claims-of-others",
];
/// A debug container leaves it alone, too, but comes to a pod whose node is there already.
const OF_PLACED_PODS: &[&str] = &["os", "node-name", "node-pool"];
const OF_CONTAINERS: &[&str] = &[
    "container-user",
    "container-group",
    "privileged",
    "privilege-escalation",
    "capabilities-add",
    "capabilities-drop",
    "host-ports",
    "proc-mount",
    "host-probes",
    "sub-path",
];

const EXCEPTIONS: &[Exception] = &[
    Exception {
        checks: &["too-many-entries"],
        refused: BOTH,
        kinds: &KINDS,
        levels: CONTAINERS,
        why: "it counts what all containers have together",
    },
    Exception {
        checks: &["too-many-entries"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "it counts what all containers have together, and a debug container can have none of it",
    },
    Exception {
        checks: OF_WRITERS,
        refused: BOTH,
        kinds: &KINDS,
        levels: CONTAINERS,
        why: "it looks at who asks and at the template as a whole, at no container",
    },
    Exception {
        checks: OF_PODS,
        refused: BOTH,
        kinds: &KINDS,
        levels: CONTAINERS,
        why: "the field is the pod's, no container has it",
    },
    Exception {
        checks: OF_PODS,
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "the field is the pod's, no container has it, and a debug container leaves it alone",
    },
    Exception {
        checks: OF_PLACED_PODS,
        refused: BOTH,
        kinds: &KINDS,
        levels: CONTAINERS,
        why: "the field is the pod's, no container has it",
    },
    Exception {
        checks: OF_PLACED_PODS,
        refused: REFUSED,
        kinds: POD,
        levels: DEBUG,
        why: "the field is the pod's, and a debug container does not change it",
    },
    Exception {
        checks: OF_CONTAINERS,
        refused: BOTH,
        kinds: &KINDS,
        levels: &["pod"],
        why: "the field is the container's, no pod has it",
    },
    Exception {
        checks: &["host-ports", "host-probes", "sub-path"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "Kubernetes lets no debug container have ports, probes, hooks or folders of volumes",
    },
    Exception {
        checks: &["stamp-unchanged"],
        refused: REFUSED,
        kinds: ALL_BUT_PODS,
        levels: &["pod"],
        why: "their stamp lies in the template, which is a changed one then: template-owner and own-stamp speak",
    },
    Exception {
        checks: &["rollback-annotation"],
        refused: REFUSED,
        kinds: ALL_BUT_DEPLOYMENTS,
        levels: &["pod"],
        why: "the controller of no other kind heeds the annotation",
    },
    Exception {
        checks: &["foreign-job"],
        refused: REFUSED,
        kinds: ALL_BUT_JOBS_AND_CRON_JOBS,
        levels: &["pod"],
        why: "no other kind says when it is done",
    },
    Exception {
        checks: &["manual-selector"],
        refused: REFUSED,
        kinds: ALL_BUT_JOBS,
        levels: &["pod"],
        why: "no other kind has the field",
    },
    Exception {
        checks: &["controller-finalizers"],
        refused: REFUSED,
        kinds: ALL_BUT_PODS,
        levels: &["pod"],
        why: "controllers count pods by it, nothing else",
    },
    Exception {
        checks: &["fs-group-claims", "claims-of-others"],
        refused: REFUSED,
        kinds: ALL_BUT_STATEFUL_SETS,
        levels: &["pod"],
        why: "no other kind makes claims that outlive it",
    },
    Exception {
        checks: &["debug-owner"],
        refused: BOTH,
        kinds: &KINDS,
        levels: &["pod"],
        why: "only debug containers come by the subresource that it looks at, and they exist in pods only",
    },
    Exception {
        checks: &["stamp-unchanged", "rollback-annotation"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "a debug container changes what runs and no annotation",
    },
    Exception {
        checks: &["template-owner"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "of debug containers debug-owner speaks, with another remedy",
    },
    Exception {
        checks: &["controller-owner", "operator-workload"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "it looks at new objects, and a debug container comes into a pod that is there",
    },
    Exception {
        checks: &["controller-template", "operator-template"],
        refused: ALLOWED,
        kinds: POD,
        levels: DEBUG,
        why: "every debug container of theirs changes what runs, and so is refused",
    },
    Exception {
        checks: &["stamp-without-identity"],
        refused: REFUSED,
        kinds: POD,
        levels: DEBUG,
        why: "a debug container brings no stamp, and of a pod that has one debug-owner speaks before",
    },
    Exception {
        checks: &["stamp-form", "stamp-present"],
        refused: BOTH,
        kinds: POD,
        levels: DEBUG,
        why: "a debug container brings no stamp, and of the pod's debug-owner and own-stamp speak before",
    },
];

/// Whether the check is of the two policies of pods and templates.
fn is_of_pods(check: &Check) -> bool {
    [Policy::Pods, Policy::NamespaceBounds].contains(&check.policy)
}

/// Every field there is. Templates have no debug containers.
fn grid() -> impl Iterator<Item = Field<'static>> {
    checks().filter(|c| is_of_pods(c)).flat_map(|check| {
        KINDS.into_iter().flat_map(move |kind| {
            let levels = ["pod", "container", "init", "ephemeral"]
                .into_iter()
                .filter(move |level| *level != "ephemeral" || kind == "Pod");
            levels.flat_map(move |level| {
                [true, false].map(|refused| Field {
                    check: check.id,
                    refused,
                    kind,
                    level,
                })
            })
        })
    })
}

fn fields(exception: &'static Exception) -> impl Iterator<Item = Field<'static>> {
    exception.checks.iter().flat_map(move |check| {
        exception.kinds.iter().flat_map(move |kind| {
            exception.levels.iter().flat_map(move |level| {
                exception.refused.iter().map(move |refused| Field {
                    check,
                    refused: *refused,
                    kind,
                    level,
                })
            })
        })
    })
}

/// What is wrong with a table of these fields: the empty ones, and the exceptions that nothing needs.
fn faults(filled: &BTreeSet<Field<'_>>) -> Vec<String> {
    let grid: BTreeSet<Field<'_>> = grid().collect();
    let mut exempt: BTreeMap<Field<'_>, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for exception in EXCEPTIONS {
        for field in fields(exception) {
            if !grid.contains(&field) {
                faults.push(format!("{field} is excepted, and there is no such field"));
            }
            if filled.contains(&field) {
                faults.push(format!("{field} is excepted ({}), and is tried", exception.why));
            }
            if exempt.insert(field, exception.why).is_some() {
                faults.push(format!("{field} is excepted twice"));
            }
        }
    }
    let empty = grid
        .iter()
        .filter(|field| !filled.contains(field) && !exempt.contains_key(field));
    faults.extend(empty.map(|field| format!("{field} is not tried")));
    faults
}

#[test]
fn every_check_of_pods_is_tried_on_every_kind_and_level_allowed_and_refused() {
    let rows = rows().unwrap();
    let filled: BTreeSet<Field<'_>> = rows
        .iter()
        .map(|row| Field {
            check: &row.check,
            refused: row.refused,
            kind: &row.kind,
            level: &row.level,
        })
        .collect();
    let faults = faults(&filled);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_lost_row_and_an_exception_that_nothing_needs_are_noticed() {
    let full: BTreeSet<Field<'_>> = grid()
        .filter(|field| !EXCEPTIONS.iter().flat_map(fields).any(|other| other == *field))
        .collect();
    assert!(faults(&full).is_empty());
    // Every one would take seconds and say no more.
    for field in full.iter().step_by(17) {
        let mut one_less = full.clone();
        one_less.remove(field);
        assert_eq!(faults(&one_less), [format!("{field} is not tried")]);
    }
    let mut one_more = full;
    one_more.insert(fields(&EXCEPTIONS[0]).next().unwrap());
    let [fault] = faults(&one_more).try_into().unwrap();
    assert!(fault.ends_with("and is tried"), "{fault}");
}

/// Checks that refuse no change of a template, and why.
const NOT_BY_CHANGE: [(&str, &[&str], &str); 10] = [
    (
        "stamp-unchanged",
        CHANGEABLE,
        "a changed stamp is a changed template: template-owner and own-stamp speak",
    ),
    (
        "rollback-annotation",
        ALL_BUT_DEPLOYMENTS,
        "the controller of no other kind heeds the annotation",
    ),
    ("debug-owner", CHANGEABLE, "debug containers exist in pods only"),
    (
        "controller-owner",
        CHANGEABLE,
        "it looks at what is made; of a change controller-template speaks",
    ),
    (
        "operator-workload",
        CHANGEABLE,
        "it looks at what is made; of a change operator-template speaks",
    ),
    (
        "stamp-form",
        CHANGEABLE,
        "who may change a template brings her own stamp: own-stamp and template-owner speak",
    ),
    (
        "stamp-present",
        CHANGEABLE,
        "who may change a template has it stamped: verified-identity speaks before",
    ),
    (
        "os",
        CHANGEABLE,
        "whoever may change a template has it filled in, and another system Kubernetes itself refuses beside what is filled in",
    ),
    (
        "manual-selector",
        CHANGEABLE,
        "only a Job has the field, and of a Job it cannot change",
    ),
    (
        "controller-finalizers",
        CHANGEABLE,
        "only of pods do controllers count by it: the row of Pod changes one",
    ),
];

/// Checks of one kind; those of claims of none here, for the claims of a StatefulSet cannot be changed.
const OF_ONE_KIND: [(&str, &str); 3] = [
    ("foreign-job", "CronJob"),
    ("fs-group-claims", ""),
    ("claims-of-others", ""),
];

/// What is not tried by a change although it could be.
fn not_changed(rows: &[crate::table::Row]) -> Vec<String> {
    let tried: BTreeSet<(&str, &str)> = rows
        .iter()
        .filter(|row| row.refused && row.changes())
        .map(|row| (row.check.as_str(), row.kind.as_str()))
        .collect();
    let excepted = |check: &str, kind: &str| {
        NOT_BY_CHANGE
            .iter()
            .any(|(id, kinds, _)| *id == check && kinds.contains(&kind))
            || OF_ONE_KIND.iter().any(|(id, only)| *id == check && *only != kind)
    };
    checks()
        .filter(|check| is_of_pods(check))
        .flat_map(|check| CHANGEABLE.iter().map(|kind| (check.id, *kind)))
        .filter(|(check, kind)| !tried.contains(&(*check, *kind)) && !excepted(check, kind))
        .map(|(check, kind)| format!("{check}: no change of a {kind} is refused"))
        .collect()
}

#[test]
fn every_check_of_pods_refuses_a_change_too() {
    let rows = rows().unwrap();
    let faults = not_changed(&rows);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // Without its changes a check is missed on every kind.
    let fewer: Vec<_> = rows
        .into_iter()
        .filter(|row| row.check != "node-name" || !row.changes())
        .collect();
    assert_eq!(not_changed(&fewer).len(), CHANGEABLE.len());
}
