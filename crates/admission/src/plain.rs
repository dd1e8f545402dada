//! The match condition by which most new pods pass `reeve-pods` by: what its checks ask of a new pod, at one look.
//!
//! Each check costs the API server its expression and its sentence, on every pod, and there are sixty. A new pod that says no
//! more than a plain manifest does, by the person whose it is or copied by a built-in controller, passes all of them; one
//! expression can tell that, and then none of them is asked. What it does not know it leaves to them. It sees no namespace, so
//! it counts on no setting; what a namespace bounds by itself is a policy of its own ([`crate::Policy::NamespaceBounds`]).
//!
//! Each part names the checks that need it. A planted fault (`policies_with_fault`) leaves the part out, and a row of the case
//! table that one of these checks refuses is admitted then.

use std::iter;

use constcat::concat;

use crate::cel::cel_list;
use crate::check::shape::VOLUMES;
use crate::entries;
use crate::names;
use crate::view::{
    NO_PERSON, STAMP, TOKEN_VOLUME, Variable, next_variable, no_mark_cel, person_cel, pod_variables,
};

/// The name of the match condition.
pub(crate) const CONDITION: &str = "more-than-plain";

/// A part of what makes a new pod plain.
pub(crate) struct Part {
    /// Its name as a planted fault.
    pub(crate) name: &'static str,
    /// The checks that every pod passes of which all parts are true, and that need this one for it.
    pub(crate) stands_for: &'static [&'static str],
    /// In CEL, with the variables of the policy.
    cel: fn() -> String,
}

/// Every part.
pub(crate) static PARTS: [Part; 7] = [
    Part {
        name: "plain-places",
        stands_for: &["os", "priority-class", "node-name", "tolerations"],
        cel: || {
            "has(variables.pod.os) && variables.pod.os.name == 'linux' && !has(variables.pod.priorityClassName) && \
             !has(variables.pod.nodeName) && (!has(variables.pod.tolerations) || variables.pod.tolerations.all(t, has(t.key) && \
             t.key != '' && !t.key.startsWith('node-role.kubernetes.io/')))"
                .to_owned()
        },
    },
    Part {
        name: "plain-marks",
        stands_for: &[
            "reeve-owner",
            "controller-reference",
            "reeve-labels",
            "user-label",
            "controller-labels",
            "relayed-labels",
            "controller-finalizers",
            "passwd-entry",
        ],
        cel: || {
            format!(
                "!('{}' in p.metadata.annotations) && (variables.controller ? \
                 variables.owners.all(o, !o.apiVersion.startsWith('{}/')) : variables.unmarked && \
                 (!has(p.metadata.labels) || p.metadata.labels.all(k, !k.startsWith('ray.io/'))))",
                names::PASSWD_ENTRY,
                names::GROUP,
            )
        },
    },
    Part {
        name: "plain-identity",
        stands_for: &[
            "pod-user",
            "pod-group",
            "supplemental-groups",
            "groups-policy",
            "fs-group",
            "fs-group-volumes",
        ],
        cel: || "variables.worn".to_owned(),
    },
    Part {
        name: "plain-shape",
        stands_for: &[
            "container-user",
            "container-group",
            "windows-user",
            "not-root",
            "run-as-non-root",
            "privileged",
            "privilege-escalation",
            "capabilities-add",
            "capabilities-drop",
            "host-process",
            "host-namespaces",
            "seccomp",
            "app-armor",
            "se-linux",
            "proc-mount",
            "sysctls",
        ],
        cel: || "variables.ordinary".to_owned(),
    },
    Part {
        name: "plain-containers",
        stands_for: &["host-ports", "host-probes", "sub-path", "too-many-entries"],
        cel: || {
            "variables.containers.all(c, !has(c.livenessProbe) && !has(c.readinessProbe) && !has(c.startupProbe) && \
             !has(c.lifecycle) && (!has(c.resources) || !has(c.resources.limits) || c.resources.limits.size() <= 10) && \
             (!has(c.ports) || (c.ports.size() <= 20 && c.ports.all(p, p.?hostPort.orValue(0) == 0))) && \
             (!has(c.volumeMounts) || (c.volumeMounts.size() <= 70 && c.volumeMounts.all(m, !has(m.subPath) && !has(m.subPathExpr)))))"
                .to_owned()
        },
    },
    Part {
        name: "plain-volumes",
        stands_for: &["volume-types", "csi-drivers", "token-volume"],
        cel: || {
            // A `csi` volume is let through by its driver's name on the namespace's list alone, and an `ephemeral` one has a
            // template whose metadata count.
            let types = VOLUMES
                .into_iter()
                .filter(|name| !["csi", "ephemeral"].contains(name));
            let known: Vec<&str> = iter::once("name").chain(types).collect();
            format!(
                "!has(variables.pod.volumes) || variables.pod.volumes.all(v, !v.name.startsWith('{TOKEN_VOLUME}') && v.all(k, k in {}))",
                cel_list(&known)
            )
        },
    },
    Part {
        name: "plain-person",
        stands_for: &[
            "relayed-owner",
            "verified-identity",
            "controller-owner",
            "operator-workload",
            "own-stamp",
            "stamp-without-identity",
            "stamp-form",
            "stamp-present",
        ],
        cel: || {
            format!(
                "variables.controller ? variables.stamp.matches('{STAMP}') && \
                 !variables.stamp.matches('{NO_PERSON}') && \
                 variables.owners.exists(o, o.?controller.orValue(false)) : \
                 variables.person && variables.stamp == variables.claimed"
            )
        },
    },
];

/// What the condition looks at at all: new pods.
const NEW_POD: &str = "request.operation == 'CREATE' && object.kind == 'Pod' && !has(request.subResource)";

/// What every plain pod `p` has, so that it can be read without asking whether it is there.
const READABLE: &str = concat!(
    "has(request.userInfo.username) && has(p.spec.securityContext) && has(p.metadata.annotations) && '",
    names::RUNS_AS,
    "' in p.metadata.annotations"
);

/// That the pod is small enough to be gone through, and far larger than a plain manifest is: 10 containers, or 300 labels. With what
/// `plain-containers` asks of each container nothing of it is too much (R40).
fn small() -> String {
    let size = |field: &str| format!("(has(p.{field}) ? p.{field}.size() : 0)");
    let containers = [
        "spec.containers",
        "spec.initContainers",
        "spec.ephemeralContainers",
    ]
    .map(size);
    let lists = [
        "metadata.finalizers",
        "metadata.labels",
        "metadata.managedFields",
        "metadata.ownerReferences",
        "spec.securityContext.supplementalGroups",
        "spec.tolerations",
        "spec.volumes",
    ]
    .map(size);
    format!(
        "({}) * 30 + p.metadata.annotations.size() + {} <= 300 && {}",
        containers.join(" + "),
        lists.join(" + "),
        entries::set_by_limit_range_fits_cel("p"),
    )
}

/// What the variables of the policy are for a new pod `p` of which [`READABLE`] is true, where that is less than what they say: what
/// need not be asked for costs nothing.
fn of_a_new_pod() -> Vec<Variable> {
    let (uid, gid, groups) = (names::EXTRA_UID, names::EXTRA_GID, names::EXTRA_GROUPS);
    let all = [
        ("update", "false".to_owned()),
        ("changed", "true".to_owned()),
        ("template", "p".to_owned()),
        ("pod", "p.spec".to_owned()),
        ("context", "p.spec.securityContext".to_owned()),
        ("stamp", format!("p.metadata.annotations['{}']", names::RUNS_AS)),
        ("username", "request.userInfo.username".to_owned()),
        (
            "controller",
            format!(
                "request.userInfo.username in {} && !(has(request.userInfo.extra) && '{}' in request.userInfo.extra)",
                cel_list(&names::CONTROLLERS),
                names::EXTRA_POD_NAME
            ),
        ),
        // That the stamp is the one claimed is asked beside it.
        ("person", person_cel("variables.stamp")),
        (
            "claimed",
            format!(
                "request.userInfo.uid + '/' + request.userInfo.extra['{uid}'][0] + '/' + request.userInfo.extra['{gid}'][0] + '/' + \
                 ('{groups}' in request.userInfo.extra ? request.userInfo.extra['{groups}'].join('.') : '')"
            ),
        ),
        (
            "worn",
            "!has(variables.context.fsGroup) && has(variables.context.supplementalGroupsPolicy) && \
             variables.context.supplementalGroupsPolicy == 'Strict' && has(variables.context.runAsUser) && \
             has(variables.context.runAsGroup) && variables.stamp.split('/').size() == 4 && variables.stamp.endsWith('/' + \
             string(variables.context.runAsUser) + '/' + string(variables.context.runAsGroup) + '/' + \
             (has(variables.context.supplementalGroups) ? \
             variables.context.supplementalGroups.map(g, string(g)).join('.') : ''))"
                .to_owned(),
        ),
        (
            "unmarked",
            format!(
                "!has(p.metadata.ownerReferences) && !has(p.metadata.finalizers) && (!has(p.metadata.labels) || \
                 p.metadata.labels.all(k, {}))",
                no_mark_cel("k")
            ),
        ),
    ];
    all.into()
}

/// The condition: true of everything that the checks are to look at. The part of this name is left out.
pub(crate) fn condition(fault: Option<&str>) -> String {
    let parts = PARTS.iter().filter(|part| fault != Some(part.name));
    let all = parts.fold(format!("{READABLE} && {}", small()), |all, part| {
        format!("{all} && ({})", (part.cel)())
    });
    // What a variable means here stands before what it means there.
    let mut variables = of_a_new_pod();
    variables.extend(pod_variables());
    format!(
        "!({NEW_POD} && [dyn(object)].all(p, {}))",
        spelled_out(&all, &variables)
    )
}

/// The expression with its variables spelled out: a match condition sees none.
fn spelled_out(cel: &str, variables: &[Variable]) -> String {
    let mut text = String::new();
    let mut rest = cel;
    while let Some((before, name, following)) = next_variable(rest) {
        text += before;
        text += &format!("({})", meaning(name, variables));
        rest = following;
    }
    text + rest
}

/// What a variable stands for here.
fn meaning(name: &str, variables: &[Variable]) -> String {
    let meaning = variables.iter().find(|(of, _)| *of == name);
    // A name without a meaning stays in the text, and the API server refuses the policy.
    meaning.map_or_else(
        || format!("variables {name}"),
        |(_, cel)| spelled_out(cel, variables),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::{Policy, checks};

    /// Checks that refuse no new pod: what they ask is of a change, or of another kind.
    const OF_NO_NEW_POD: [&str; 11] = [
        "stamp-unchanged",
        "rollback-annotation",
        "template-owner",
        "debug-owner",
        "controller-template",
        "operator-template",
        "manual-selector",
        "foreign-metadata",
        "foreign-job",
        "fs-group-claims",
        "claims-of-others",
    ];

    /// A check that nothing here stands for would be passed by in silence.
    #[test]
    fn every_check_of_pods_has_its_part_or_says_nothing_of_new_pods() {
        let of_pods: BTreeSet<&str> = checks()
            .filter(|c| c.policy == Policy::Pods)
            .map(|c| c.id)
            .collect();
        let named = PARTS
            .iter()
            .flat_map(|part| part.stands_for)
            .chain(&OF_NO_NEW_POD);
        let mut known = BTreeSet::new();
        for id in named {
            assert!(known.insert(*id), "{id} is named twice");
        }
        assert_eq!(of_pods, known);
    }

    #[test]
    fn the_condition_says_everything_itself() {
        assert!(!condition(None).contains("variables"));
        // Nothing is gone through before it is known to be small.
        let first = format!(
            "!({NEW_POD} && [dyn(object)].all(p, {READABLE} && {} && ",
            small()
        );
        assert!(condition(None).starts_with(&first));
        for part in &PARTS {
            assert_ne!(condition(Some(part.name)), condition(None), "{}", part.name);
        }
    }
}
