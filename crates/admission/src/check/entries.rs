//! What has more entries than any policy goes through (R40), wherever it is: each policy that nothing passes by says so of its own.

use constcat::concat;

use super::{Check, Policy, Rule, outside};
use crate::entries::{is_crowded, is_kept};
use crate::request::Request;

/// The check of the policy of pods that counts; the others of it are asked of nothing that has more.
pub(super) const COUNTED: &str = "too-many-entries";

/// Where nothing is counted, and of what is as large as it was ([`is_kept`]), the rest may change.
const CEL: &str = concat!(
    "!variables.crowded || (request.operation == 'UPDATE' && ['spec', 'data'].all(f, dyn(object)[?f].orValue(dyn(null)) == \
     dyn(oldObject)[?f].orValue(dyn(null))) && ['annotations', 'labels', 'ownerReferences'].all(f, \
     dyn(object.metadata)[?f].orValue(dyn(null)) == dyn(oldObject.metadata)[?f].orValue(dyn(null))))"
);

const fn check(id: &'static str, policy: Policy, predicate: fn(&Request) -> bool) -> Check {
    Check {
        id,
        policy,
        rule: Rule(40),
        problem: "the metadata, one template with the lists of its pod, or the lists of its containers together have more than \
                  1000 entries, or an annotation that is taken apart more than 10000 characters",
        named: None,
        remedy: "make it smaller: of labels, annotations, owners, containers, volumes, mounts, ports, tolerations and groups no \
                 pod needs that many",
        cel: CEL,
        predicate,
    }
}

fn fits(request: &Request) -> bool {
    !is_crowded(request) || is_kept(request)
}

fn fits_outside(request: &Request) -> bool {
    !outside::is_crowded(request) || is_kept(request)
}

pub(super) static CHECKS: [Check; 3] = [
    check(COUNTED, Policy::Pods, fits),
    check("too-many-entries-outside", Policy::Outside, fits_outside),
    check("too-many-entries-of-others", Policy::Entries, fits),
];
