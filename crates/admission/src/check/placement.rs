//! Where a pod runs and what it pushes aside (R20), which volumes it changes the group of (R21), and where the node acts in a
//! volume as root for it (R25).
//!
//! On nodes of Windows the numbers of an identity mean nothing, so where identity is enforced a pod says that it is for Linux:
//! it is filled in for whoever writes, and asked of what a controller copies.

use constcat::concat;
use serde_json::Value;

use super::{Check, Named, Policy, Rule};
use crate::names;
use crate::request::{list, map, text};
use crate::view::{TOKEN_VOLUME, View, has_only_token_volume};

const CONTROL_PLANE: &str = "node-role.kubernetes.io/";

/// Whether a claim is made from the template and from nothing that is there already: no volume, copy or snapshot.
pub(super) fn is_new(claim: &Value) -> bool {
    ["volumeName", "dataSource", "dataSourceRef", "selector"]
        .iter()
        .all(|field| claim.pointer(&format!("/spec/{field}")).is_none())
        && claim.pointer("/spec/storageClassName").and_then(Value::as_str) != Some("")
        && map(claim, "/metadata/annotations")
            .keys()
            .all(|key| !key.starts_with("volume.beta.kubernetes.io/"))
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The uid that a part of a claim's name says: `u` and digits.
pub(super) fn uid_of(part: &str) -> Option<&str> {
    part.strip_prefix('u').filter(|digits| is_digits(digits))
}

/// What the name of a StatefulSet's claim has to end with so that nobody else's StatefulSet or claim has the same.
fn suffix(v: &View<'_>) -> String {
    let [_, uid, _, _] = v.identity();
    format!("-u{uid}")
}

/// A claim that a StatefulSet of the person of the stamp made for this very pod, as its name shows (R21, `claim-name`).
fn is_own_claim(v: &View<'_>, volume: &Value) -> bool {
    let (volume_name, claim) = (
        text(volume, "/name"),
        text(volume, "/persistentVolumeClaim/claimName"),
    );
    v.controller
        && v.request.kind() == "Pod"
        && volume_name.ends_with(&suffix(v))
        && claim == format!("{volume_name}-{}", text(&v.request.object, "/metadata/name"))
}

/// Whether a volume is the pod's own: no driver's, and no claim but one that [`is_own_claim`].
fn is_own_volume(v: &View<'_>, volume: &Value) -> bool {
    volume.get("csi").is_none() && (volume.get("persistentVolumeClaim").is_none() || is_own_claim(v, volume))
}

/// The same in CEL, of the volume `v`.
const IS_OWN_VOLUME: &str = "!has(v.csi) && (!has(v.persistentVolumeClaim) || (variables.controller && object.kind == 'Pod' && \
     v.name.endsWith('-u' + variables.identity[1]) && \
     v.persistentVolumeClaim.claimName == v.name + '-' + object.metadata.name))";

/// What [`is_new`] asks of a claim's spec, in CEL, of the spec `s`.
const IS_NEW_SPEC: &str = "!has(s.volumeName) && !has(s.dataSource) && !has(s.dataSourceRef) && !has(s.selector) && \
     s.?storageClassName.orValue('x') != ''";

/// Whether a volume brings nothing that was there before the pod, in CEL, of the volume `v`: it is the pod's own, and an ephemeral
/// one has a new claim.
const BRINGS_NOTHING: &str = concat!(
    IS_OWN_VOLUME,
    " && (!has(v.ephemeral) || [v.ephemeral.?volumeClaimTemplate.?spec.orValue(dyn({}))].all(s, ",
    IS_NEW_SPEC,
    ")) && v.?ephemeral.?volumeClaimTemplate.?metadata.?annotations.orValue(dyn({})).all(k, \
     !k.startsWith('volume.beta.kubernetes.io/'))"
);

fn claim_templates<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Value> {
    list(&v.request.object, "/spec/volumeClaimTemplates").iter()
}

/// Whether a StatefulSet's claim is new, or its person's own of before.
fn is_own_template(v: &View<'_>, claim: &Value) -> bool {
    is_new(claim) && text(claim, "/metadata/name").ends_with(&suffix(v))
}

/// Whether the node is to give volumes to a group, where that is not the installers' wish.
fn regroups(v: &View<'_>) -> bool {
    v.changed && v.enforced && v.context("/fsGroup").is_some() && !v.request.allows(names::ALLOW_FS_GROUP)
}

/// The same as [`BRINGS_NOTHING`].
fn brings_nothing(v: &View<'_>, volume: &Value) -> bool {
    is_own_volume(v, volume)
        && volume
            .pointer("/ephemeral/volumeClaimTemplate")
            .is_none_or(is_new)
}

/// Whether the node looks up a folder of a volume for this mount.
fn is_sub_path(mount: &Value) -> bool {
    !text(mount, "/subPath").is_empty() || !text(mount, "/subPathExpr").is_empty()
}

/// Whether what is mounted under this name was not there before the pod, or the StatefulSet of the person.
fn is_of_its_own(v: &View<'_>, name: &str) -> bool {
    let named = |object: &Value, pointer: &str| text(object, pointer) == name;
    list(v.pod, "/volumes")
        .iter()
        .filter(|volume| named(volume, "/name"))
        .all(|volume| brings_nothing(v, volume))
        && (v.request.kind() != "StatefulSet"
            || claim_templates(v)
                .filter(|claim| named(claim, "/metadata/name"))
                .all(|claim| is_own_template(v, claim)))
}

/// The parts of a claim's name that could say whose it is: neither the first nor the last of `<template>-<StatefulSet>`.
fn says_another(v: &View<'_>, template: &str) -> bool {
    let [_, uid, _, _] = v.identity();
    let name = format!("{template}-{}", text(&v.request.object, "/metadata/name"));
    let parts: Vec<&str> = name.split('-').collect();
    let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
    inner
        .iter()
        .filter_map(|part| uid_of(part))
        .any(|said| said != uid)
}

pub(super) static CHECKS: [Check; 10] = [
    Check {
        id: "os",
        policy: Policy::Pods,
        rule: Rule(20),
        problem: "a pod that does not say that it is for Linux may get to a node of Windows, where the numbers of an identity mean \
                  nothing",
        named: None,
        remedy: "write the template again, which fills it in, or set os.name to linux in the spec of the pod",
        cel: "variables.pod.?os.?name.orValue('') == 'linux' || variables.unjudged || (variables.update && object.kind == 'Pod')",
        predicate: |r| {
            let v = View::of(r);
            let is_for_linux = text(v.pod, "/os/name") == "linux";
            is_for_linux || !v.changed || !v.enforced || (v.update && r.kind() == "Pod")
        },
    },
    Check {
        id: "priority-class",
        policy: Policy::Pods,
        rule: Rule(20),
        problem: "this priority class is not for projects: such a pod pushes others off their nodes",
        named: Named::unless(
            "!has(variables.pod.priorityClassName)",
            "'the priority class ' + variables.pod.?priorityClassName.orValue('') + ' is not for this project: such a \
             pod pushes others off their nodes'",
        ),
        remedy: concat!(
            "remove priorityClassName or take another; the group ",
            names::INSTALLERS,
            " sets the annotation \
                 ",
            names::PRIORITY_CLASSES,
            " of the namespace"
        ),
        cel: concat!(
            "!has(variables.pod.priorityClassName) || !variables.changed || [variables.pod.priorityClassName].all(c, c == '' || \
              (!c.startsWith('system-') && namespaceObject.metadata.?annotations[?'",
            names::PRIORITY_CLASSES,
            "']\
              .orValue(c).split(',').exists(a, a == c)))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let class = text(v.pod, "/priorityClassName");
            !v.changed
                || class.is_empty()
                || (!class.starts_with("system-")
                    && r.listed(names::PRIORITY_CLASSES)
                        .is_none_or(|allowed| allowed.contains(&class)))
        },
    },
    Check {
        id: "node-name",
        policy: Policy::Pods,
        rule: Rule(20),
        problem: "nodeName goes round the scheduler, onto any node",
        named: None,
        remedy: "remove nodeName, and choose nodes with nodeSelector or affinity",
        cel: "!has(variables.pod.nodeName) || !variables.changed || (variables.update && object.kind == 'Pod') || \
              variables.pod.nodeName == ''",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || (v.update && r.kind() == "Pod") || text(v.pod, "/nodeName").is_empty()
        },
    },
    Check {
        id: "tolerations",
        policy: Policy::Pods,
        rule: Rule(20),
        problem: "a toleration without a key, or of node-role.kubernetes.io/, reaches nodes that are closed to projects",
        named: None,
        remedy: concat!(
            "name the key of the taint; for taints under node-role.kubernetes.io/ the group ",
            names::INSTALLERS,
            " sets \
                 the annotation ",
            names::TOLERATIONS,
            " of the namespace"
        ),
        cel: concat!(
            "!variables.changed || variables.pod.?tolerations.orValue(dyn([])).all(t, t.?key.orValue('') != '' && \
              (!t.key.startsWith('node-role.kubernetes.io/') || t.key in \
              namespaceObject.metadata.?annotations[?'",
            names::TOLERATIONS,
            "'].orValue('').split(',')))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let allowed = r.listed(names::TOLERATIONS).unwrap_or_default();
            let ok = |t: &Value| {
                let key = text(t, "/key");
                !key.is_empty() && (!key.starts_with(CONTROL_PLANE) || allowed.contains(&key))
            };
            !v.changed || list(v.pod, "/tolerations").iter().all(ok)
        },
    },
    Check {
        id: "fs-group-volumes",
        policy: Policy::Pods,
        rule: Rule(21),
        problem: "fsGroup makes the node give every file of a volume to that group, also files of others",
        named: None,
        remedy: concat!(
            "remove fsGroup from securityContext, or the volumes that are there already (persistentVolumeClaim, csi, \
                 copies); see docs/security/volumes.md. The group ",
            names::INSTALLERS,
            " can allow it with the label \
                 ",
            names::ALLOW_FS_GROUP,
            ": true of the namespace"
        ),
        cel: concat!(
            "variables.worn || variables.unjudged || !has(variables.context.fsGroup) || \
              namespaceObject.metadata.?labels[?'",
            names::ALLOW_FS_GROUP,
            "'].orValue('') == 'true' || \
              variables.pod.?volumes.orValue(dyn([])).all(v, ",
            BRINGS_NOTHING,
            ")"
        ),
        predicate: |r| {
            let v = View::of(r);
            !regroups(&v)
                || list(v.pod, "/volumes")
                    .iter()
                    .all(|volume| brings_nothing(&v, volume))
        },
    },
    Check {
        id: "fs-group-claims",
        policy: Policy::Pods,
        rule: Rule(21),
        problem: "fsGroup and volumeClaimTemplates: a claim of that name may be there already, with files of others",
        named: Named::unless(
            "object.kind != 'StatefulSet'",
            "'fsGroup and volumeClaimTemplates: a claim of that name may be there already, with files of others, unless \
             the name of each template ends with -u' + variables.identity[1]",
        ),
        remedy: "end the names in volumeClaimTemplates and volumeMounts with -u and your uid, and take no volumeName, \
                 dataSource, selector or empty storageClassName in them; or remove fsGroup; see docs/security/volumes.md",
        cel: concat!(
            "object.kind != 'StatefulSet' || variables.unjudged || \
              !has(variables.context.fsGroup) || \
              namespaceObject.metadata.?labels[?'",
            names::ALLOW_FS_GROUP,
            "'].orValue('') == 'true' || \
              dyn(object).spec.?volumeClaimTemplates.orValue(dyn([])).all(c, \
              c.metadata.name.endsWith('-u' + variables.identity[1]) && [c.?spec.orValue(dyn({}))].all(s, ",
            IS_NEW_SPEC,
            ") && c.metadata.?annotations.orValue(dyn({})).all(k, \
              !k.startsWith('volume.beta.kubernetes.io/')))"
        ),
        predicate: |r| {
            let v = View::of(r);
            r.kind() != "StatefulSet"
                || !regroups(&v)
                || claim_templates(&v).all(|claim| is_own_template(&v, claim))
        },
    },
    Check {
        id: "token-volume",
        policy: Policy::Pods,
        rule: Rule(41),
        problem: "volumes that are named kube-api-access-… are those in which Kubernetes puts the token of the ServiceAccount: one at \
                  most, projected, that each container mounts once at most",
        named: None,
        remedy: "give your own volumes other names; a program that needs the token says automountServiceAccountToken: true",
        cel: concat!(
            "!has(variables.pod.volumes) || !variables.changed || variables.pod.volumes.all(v, !v.name.startsWith('",
            TOKEN_VOLUME,
            "')) || (variables.pod.volumes.filter(v, v.name.startsWith('",
            TOKEN_VOLUME,
            "')).size() == 1 && variables.pod.volumes.all(v, !v.name.startsWith('",
            TOKEN_VOLUME,
            "') || has(v.projected)) && variables.containers.all(c, c.?volumeMounts.orValue(dyn([])).filter(m, m.name.startsWith('",
            TOKEN_VOLUME,
            "')).size() <= 1))"
        ),
        predicate: |r| {
            let v = View::of(r);
            !v.changed || has_only_token_volume(v.pod)
        },
    },
    Check {
        id: "csi-drivers",
        policy: Policy::Pods,
        rule: Rule(6),
        problem: "a csi volume names a server and options of its own, and its driver acts on them as root",
        named: None,
        remedy: concat!(
            "use a persistentVolumeClaim; the group ",
            names::INSTALLERS,
            " allows drivers with the annotation ",
            names::CSI_DRIVERS,
            " of the namespace"
        ),
        cel: concat!(
            "!has(variables.pod.volumes) || !variables.changed || variables.pod.volumes.all(v, !has(v.csi) || v.csi.driver in \
              namespaceObject.metadata.?annotations[?'",
            names::CSI_DRIVERS,
            "'].orValue('').split(','))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let allowed = r.listed(names::CSI_DRIVERS).unwrap_or_default();
            let ok = |volume: &Value| {
                volume.get("csi").is_none() || allowed.contains(&text(volume, "/csi/driver"))
            };
            !v.changed || list(v.pod, "/volumes").iter().all(ok)
        },
    },
    Check {
        id: "sub-path",
        policy: Policy::Pods,
        rule: Rule(25),
        problem: "subPath of a claim: the node looks the folder up as root, past the file modes of others, and makes it for \
                  everybody to write where it is missing",
        named: None,
        remedy: concat!(
            "mount the whole claim and work in the folder; take volumeName, dataSource, dataSourceRef, selector and an empty \
             storageClassName out of an ephemeral volume, which is a new one then; see docs/security/volumes.md. The group ",
            names::INSTALLERS,
            " can allow it with the label ",
            names::ALLOW_SUB_PATH,
            ": true of the namespace"
        ),
        // The names of what may hold something from before are collected once, and not for each mount: that would cost mounts times volumes.
        cel: concat!(
            "variables.unjudged || variables.containers.all(c, c.?volumeMounts.orValue(dyn([])).all(m, \
              m.?subPath.orValue('') == '' && m.?subPathExpr.orValue('') == '')) || \
              namespaceObject.metadata.?labels[?'",
            names::ALLOW_SUB_PATH,
            "'].orValue('') == 'true' || \
              [variables.pod.?volumes.orValue(dyn([])).filter(v, !(",
            BRINGS_NOTHING,
            ")).map(v, v.name) + (object.kind != 'StatefulSet' ? dyn([]) : \
              dyn(object).spec.?volumeClaimTemplates.orValue(dyn([])).filter(t, \
              !(t.metadata.name.endsWith('-u' + variables.identity[1]) && \
              [t.?spec.orValue(dyn({}))].all(s, ",
            IS_NEW_SPEC,
            ") && \
              t.metadata.?annotations.orValue(dyn({})).all(k, !k.startsWith('volume.beta.kubernetes.io/')))).map(t, t.metadata.name))]\
              .all(names, variables.containers.all(c, c.?volumeMounts.orValue(dyn([])).all(m, \
              (m.?subPath.orValue('') == '' && m.?subPathExpr.orValue('') == '') || !(m.name in names))))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let ok = |mount: &Value| !is_sub_path(mount) || is_of_its_own(&v, text(mount, "/name"));
            !v.changed
                || !v.enforced
                || r.allows(names::ALLOW_SUB_PATH)
                || v.containers()
                    .all(|container| list(container, "/volumeMounts").iter().all(ok))
        },
    },
    Check {
        id: "claims-of-others",
        policy: Policy::Pods,
        rule: Rule(21),
        problem: "the claims of this StatefulSet would have names that say that they are of another person",
        named: None,
        remedy: "in the names of the StatefulSet and of its volumeClaimTemplates take no part that is u and the digits of \
                 another uid",
        // Going through the parts of each claim's name would cost claims times parts. So every dash is doubled: each part between two
        // others then has a dash of its own on both sides, those that say the person's own uid are cut out, and a `-u…-` that is left is
        // another's. The first part and the last have a dash on one side alone and never match.
        cel: "object.kind != 'StatefulSet' || variables.unjudged || \
              dyn(object).spec.?volumeClaimTemplates.orValue(dyn([])).all(t, !(t.metadata.name + '-' + \
              object.metadata.name).replace('-', '--').replace('-u' + variables.identity[1] + '-', '-').matches('-u[0-9]+-'))",
        predicate: |r| {
            let v = View::of(r);
            r.kind() != "StatefulSet"
                || !v.changed
                || !v.enforced
                || !claim_templates(&v).any(|claim| says_another(&v, text(claim, "/metadata/name")))
        },
    },
];
