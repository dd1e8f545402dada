//! The nodes of a project (R34): where its namespace names pools, a pod chooses one of them.
//!
//! Nothing is filled in: whoever writes a manifest says the pool, and the operator does in what `reeve submit` starts. The label
//! of nodes is one that no kubelet may give itself (NodeRestriction).

use constcat::concat;

use super::{Check, Named, Policy, Rule};
use crate::names;
use crate::request::text;
use crate::view::View;

/// The pools of the namespace, in CEL; empty where it names none.
const POOLS: &str = concat!(
    "namespaceObject.metadata.?annotations[?'",
    names::NODE_POOLS,
    "'].orValue('')"
);

/// The same label as a JSON pointer into a pod's spec.
fn chosen<'a>(v: &View<'a>) -> &'a str {
    let selector = v.pod.get("nodeSelector");
    selector
        .and_then(|selector| selector.get(names::NODE_POOL))
        .map_or("", |pool| text(pool, ""))
}

pub(super) static CHECKS: [Check; 1] = [Check {
    id: "node-pool",
    policy: Policy::NamespaceBounds,
    rule: Rule(34),
    problem: "the pods of this project run on the nodes of its pools alone",
    named: Named::unless(
        concat!(POOLS, " == ''"),
        concat!(
            "'the pods of this project run on nodes of these pools alone: ' + ",
            POOLS
        ),
    ),
    remedy: concat!(
        "add ",
        names::NODE_POOL,
        " with one of the pools to nodeSelector; reeve project pod-rules and the annotation ",
        names::NODE_POOLS,
        " of the namespace decide the pools"
    ),
    cel: concat!(
        POOLS,
        " == '' || !variables.changed || (variables.update && object.kind == 'Pod') || [",
        POOLS,
        "].all(p, [variables.pod.?nodeSelector[?'",
        names::NODE_POOL,
        "'].orValue('')].all(n, n != '' && n in p.split(',')))"
    ),
    predicate: |r| {
        let v = View::of(r);
        let pools = r.listed(names::NODE_POOLS).unwrap_or_default();
        let pool = chosen(&v);
        !v.changed
            || (v.update && r.kind() == "Pod")
            || pools.concat().is_empty() && pools.len() < 2
            || (!pool.is_empty() && pools.contains(&pool))
    },
}];
