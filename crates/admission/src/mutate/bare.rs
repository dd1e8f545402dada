//! The short way for the pod that most people write: it says nothing of what is filled in, and gets all of it at once.
//!
//! Each part of the long expression asks whether something is there already, and of a bare pod each costs the API server its
//! variables and its lists for nothing. What comes out is the same, by either way: the case table and the random pods go by
//! both, and `fill` in Rust knows no difference.

use super::{Gap, add_stamp, given_context, guarded_container};
use crate::names;
use crate::view::{TOKEN_VOLUME, Variable};

/// The name of the variable that says whether a pod is one of these.
pub(crate) const VARIABLE: &str = "bare";

/// So many containers, and so many volumes and mounts of one container, are gone through: no more than 1,000 together (R40).
const MOST_CONTAINERS: usize = 20;
const MOST_VOLUMES: usize = 50;

/// Whether this is a new pod of a person, where identity is enforced, that has no containers of another list, and of which all
/// that is to be taken away is what the API server added last: the volume with a ServiceAccount's token, and its mounts.
pub(crate) fn variable() -> Variable {
    let token_is_last = |list: &str, which: &str| {
        format!(
            "{list}.size() <= {MOST_VOLUMES} && {list}.exists_one(v, v.name.startsWith('{TOKEN_VOLUME}')) && \
             [{list}[{list}.size() - 1]].all(v, v.name.startsWith('{TOKEN_VOLUME}'){which})"
        )
    };
    let cel = format!(
        "object.kind == 'Pod' && request.operation == 'CREATE' && !has(request.subResource) && variables.person && \
         variables.enforced && [dyn(object)].exists(p, !has(p.spec.os) && !has(p.spec.automountServiceAccountToken) && \
         !has(p.spec.initContainers) && p.spec.?securityContext.orValue(dyn({{}})).size() == 0 && \
         !p.metadata.?annotations[?'{stamp}'].hasValue() && !p.metadata.?annotations[?'{passwd}'].hasValue() && \
         has(p.spec.volumes) && {volumes} && p.spec.containers.size() <= {MOST_CONTAINERS} && p.spec.containers.all(c, \
         !has(c.securityContext) && has(c.volumeMounts) && {mounts}))",
        stamp = names::RUNS_AS,
        passwd = names::PASSWD_ENTRY,
        volumes = token_is_last("p.spec.volumes", " && has(v.projected)"),
        mounts = token_is_last("c.volumeMounts", ""),
    );
    (VARIABLE, cel)
}

/// The patches: one list of what is made once, and one of each that is made for every container. (Each sum of lists is gone through
/// once more.)
pub(crate) fn expression(gap: Gap<'_>) -> String {
    let add = |path: &str, value: &str| format!("JSONPatch{{op: 'add', path: '{path}', value: {value}}}");
    let remove = |path: &str| format!("JSONPatch{{op: 'remove', path: {path}}}");
    let each = |patch: &str| format!("object.spec.containers.transformList(i, c, {patch})");
    let context = given_context(gap, "s", "s[3] == '' ? [] : s[3].split('.').map(g, int(g))");
    let context = add("/spec/securityContext", &context);
    let once = [
        ("stamp", add_stamp("object", "'")),
        ("os", add("/spec/os", "{'name': 'linux'}")),
        (
            "automountServiceAccountToken",
            add("/spec/automountServiceAccountToken", "false"),
        ),
        (
            "tokenVolume",
            remove("'/spec/volumes/' + string(object.spec.volumes.size() - 1)"),
        ),
        ("", format!("[variables.claimed.split('/')].map(s, {context})[0]")),
    ];
    let once: Vec<String> = once
        .into_iter()
        .filter_map(|(part, patch)| (gap.0 != Some(part)).then_some(patch))
        .collect();
    // Identity is enforced, so escalation is prevented; whose it is was looked at, so all parts of the stamp are there.
    let contexts = each(&format!(
        "JSONPatch{{op: 'add', path: '/spec/containers/' + string(i) + '/securityContext', value: {}}}",
        guarded_container(gap)
    ));
    let mounts = each(&remove(
        "'/spec/containers/' + string(i) + '/volumeMounts/' + string(c.volumeMounts.size() - 1)",
    ));
    format!(
        "[{}] + {contexts} + {}",
        once.join(", "),
        gap.or_nothing("tokenVolume", mounts)
    )
}
