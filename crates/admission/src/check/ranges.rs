//! The uids and groups that OpenShift gave a namespace (R35). Without the security context constraints of the chart OpenShift
//! admits no other ones, in words that name neither; so the refusal comes from here, for templates too.
//!
//! Where the constraints are installed (`openShift.securityContextConstraints` of `ReeveConfig`) the operator labels the namespace,
//! and people run as themselves.

use constcat::concat;
use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::entries::is_crowded;
use crate::names;
use crate::request::Request;
use crate::view::View;

/// The uids of the namespace, in CEL; empty where there is no OpenShift.
const UIDS: &str = concat!(
    "namespaceObject.metadata.?annotations[?'",
    names::OPENSHIFT_UID_RANGE,
    "'].orValue('')"
);
/// Its groups: those of the uids where nothing else is said.
const GROUPS: &str = concat!(
    "namespaceObject.metadata.?annotations[?'",
    names::OPENSHIFT_GROUPS,
    "'].orValue(",
    UIDS,
    ")"
);
/// What lets everything pass.
const PASSES: &str = concat!(
    "variables.crowded || !variables.changed || namespaceObject.metadata.?labels[?'",
    names::ALLOW_ANY_UID,
    "'].orValue('') == 'true'"
);
/// Whether the id `u` is in the range `r`. What is no range holds nobody.
const WITHIN: &str = "r.matches('^[0-9]{1,10}[-/][0-9]{1,10}$') && [r.split(r.contains('/') ? '/' : '-').map(n, int(n))]\
     .all(b, u >= b[0] && (r.contains('/') ? u < b[0] + b[1] : u <= b[1]))";

/// Whether a range as OpenShift writes it holds an id.
fn holds(range: &str, id: i64) -> bool {
    let number = |text: &str| {
        let digits = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let bounds = |separator| {
        let (first, second) = range.split_once(separator)?;
        Some((number(first)?, number(second)?))
    };
    match (bounds('/'), bounds('-')) {
        (Some((first, count)), _) => id >= first && id < first + count,
        (None, Some((first, last))) => (first..=last).contains(&id),
        (None, None) => false,
    }
}

/// Whether there is a list of ranges here and the ids are in none of them.
fn are_outside(ranges: Option<&String>, mut ids: impl Iterator<Item = i64>) -> bool {
    let ranges = ranges.map_or("", String::as_str);
    !ranges.is_empty() && ids.any(|id| !ranges.split(',').any(|range| holds(range, id)))
}

fn passes(r: &Request, v: &View<'_>) -> bool {
    !v.changed || is_crowded(r) || r.allows(names::ALLOW_ANY_UID)
}

/// Every uid that the pod asks for.
fn uids<'a>(v: &View<'a>) -> Vec<i64> {
    let of_containers = v
        .containers()
        .filter_map(|container| container.pointer("/securityContext/runAsUser"));
    let of_pod = v.context("/runAsUser");
    of_pod
        .into_iter()
        .chain(of_containers)
        .filter_map(Value::as_i64)
        .collect()
}

pub(super) static CHECKS: [Check; 2] = [
    Check {
        id: "uid-range",
        policy: Policy::NamespaceBounds,
        rule: Rule(35),
        problem: "this uid is outside of the range that OpenShift gave the namespace",
        named: Named::unless(
            concat!("variables.crowded || ", UIDS, " == ''"),
            concat!(
                "'uid ' + (variables.containers.map(c, c.?securityContext.?runAsUser.orValue(-1)) + \
                 [variables.context.?runAsUser.orValue(-1)]).filter(u, u >= 0).map(u, string(u)).join(', ') + \
                 ' is outside of ' + ",
                UIDS,
                " + ', the uids that OpenShift gave this namespace'"
            ),
        ),
        remedy: concat!(
            "ask an administrator of the control plane for a uid in it; or a member of the group ",
            names::INSTALLERS,
            " installs the security context constraints of the chart and sets openShift.securityContextConstraints of \
             ReeveConfig: docs/operations/openshift.md"
        ),
        cel: concat!(
            UIDS,
            " == '' || ",
            PASSES,
            " || [",
            UIDS,
            "].all(r, ([variables.context.?runAsUser.orValue(-1)].all(u, u == -1 || (",
            WITHIN,
            ")) && variables.containers.all(c, [c.?securityContext.?runAsUser.orValue(-1)].all(u, u == -1 || (",
            WITHIN,
            ")))))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let range = r.namespace_annotations.get(names::OPENSHIFT_UID_RANGE);
            // One range, unlike groups.
            let one = range.filter(|range| range.contains(',')).is_none();
            let ids = uids(&v);
            passes(r, &v) || ids.is_empty() || (one && !are_outside(range, ids.into_iter()))
        },
    },
    Check {
        id: "group-range",
        policy: Policy::NamespaceBounds,
        rule: Rule(35),
        problem: "this fsGroup is outside of the groups that OpenShift gave the namespace",
        named: Named::unless(
            concat!(UIDS, " == ''"),
            concat!(
                "'fsGroup ' + string(variables.context.?fsGroup.orValue(-1)) + ' is outside of ' + ",
                GROUPS,
                " + ', the groups that OpenShift gave this namespace'"
            ),
        ),
        remedy: concat!(
            "remove fsGroup; or a member of the group ",
            names::INSTALLERS,
            " installs the security context constraints of the chart and sets openShift.securityContextConstraints of \
             ReeveConfig: docs/operations/openshift.md"
        ),
        cel: concat!(
            GROUPS,
            " == '' || ",
            PASSES,
            " || !has(variables.context.fsGroup) || [",
            GROUPS,
            "].all(t, t.split(',').exists(r, [variables.context.fsGroup].all(u, ",
            WITHIN,
            ")))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let of = |key| r.namespace_annotations.get(key);
            let ranges = of(names::OPENSHIFT_GROUPS).or_else(|| of(names::OPENSHIFT_UID_RANGE));
            let group = v.context("/fsGroup").and_then(Value::as_i64);
            passes(r, &v) || !are_outside(ranges, group.into_iter())
        },
    },
];

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn ranges_are_read_as_openshift_writes_them() {
        for (range, id, within) in [
            ("1000660000/10000", 1_000_660_000, true),
            ("1000660000/10000", 1_000_669_999, true),
            ("1000660000/10000", 1_000_670_000, false),
            ("1000660000/10000", 70_012, false),
            ("1000660000-1000669999", 1_000_669_999, true),
            ("1000660000-1000669999", 1_000_670_000, false),
            ("", 1, false),
            ("all", 1, false),
            ("1/", 1, false),
            ("1/2/3", 1, false),
        ] {
            assert_eq!(holds(range, id), within, "{range} {id}");
        }
    }
}
