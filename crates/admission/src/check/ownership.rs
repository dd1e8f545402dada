//! What controllers believe: owner references, the labels they select by, their finalizers (R18, R19).
//!
//! A built-in controller takes as its own whatever names it as controller, and adopts whatever bears the labels that it
//! selects. Either would make somebody's pod count as a colleague's: end her Job, take her pod's place, print in her log.

use constcat::concat;
use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::{Request, list, map, text};
use crate::view::{CONTROLLER_LABELS, View};

/// The kinds that built-in controllers look after. They look at kind, name and uid of a reference, not at its group.
const OWNERS: [&str; 7] = [
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

/// The finalizers by which the Job controller counts pods.
const FINALIZERS: &str = "batch.kubernetes.io/";

/// Where the Job controller notes which part of a Job a pod is, and others which generation of theirs.
const CONTROLLER_ANNOTATIONS: [&str; 3] = [
    "batch.kubernetes.io/",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
];

pub(super) fn is_controller(owner: &Value) -> bool {
    owner.get("controller").and_then(Value::as_bool) == Some(true)
}

/// The owner references that the object did not have before.
fn new_owners<'a>(v: &View<'a>) -> impl Iterator<Item = &'a Value> {
    let before = owners(v.request.old_object.as_ref().filter(|_| v.update));
    owners(Some(&v.request.object))
        .iter()
        .filter(move |owner| !before.iter().any(|old| same_owner(old, owner)))
}

/// Whether two references say the same. Whether they hold up a deletion is the garbage collector's to change.
fn same_owner(one: &Value, other: &Value) -> bool {
    ["uid", "kind", "apiVersion", "name"]
        .iter()
        .all(|field| one.get(field) == other.get(field))
        && is_controller(one) == is_controller(other)
}

/// The same in CEL, of the references `p` and `o`.
const SAME_OWNER: &str = "p.uid == o.uid && p.kind == o.kind && p.apiVersion == o.apiVersion && p.name == o.name && \
     p.?controller.orValue(false) == o.?controller.orValue(false)";

/// The garbage collector takes away references to what is gone.
fn collects_garbage(request: &Request) -> bool {
    let name = request.user.username.as_str();
    COLLECTORS.contains(&name) && request.user.extra(names::EXTRA_POD_NAME).is_empty()
}

const COLLECTORS: [&str; 2] = [
    concat!(
        names::SERVICE_ACCOUNT_PREFIX,
        "kube-system:generic-garbage-collector"
    ),
    "system:kube-controller-manager",
];

/// Whether somebody asks who has no part in whose this is: neither the person of the stamp, nor the system, nor those who
/// look after the cluster.
fn is_bystander(v: &View<'_>) -> bool {
    let user = &v.request.user;
    let name = user.username.as_str();
    let account = name
        .strip_prefix(names::SERVICE_ACCOUNT_PREFIX)
        .is_some_and(|rest| !rest.starts_with("kube-system:"));
    let system = name.starts_with("system:") && !account;
    let keeper = user.in_group(names::MASTERS) || user.is_installer();
    let own = v.person && v.owned();
    !v.old_stamp.is_empty()
        && !own
        && !v.controller
        && !v.operator
        && !system
        && !keeper
        && !v.is_mutator()
        && !v.relaying()
}

pub(super) fn owners(object: Option<&Value>) -> &[Value] {
    object.map_or(&[], |object| list(object, "/metadata/ownerReferences"))
}

fn may_control(v: &View<'_>, owner: &Value) -> bool {
    !v.person && !OWNERS.contains(&text(owner, "/kind"))
}

/// Whether a label is one that a built-in controller selects by, or sets for others to select by.
pub(super) fn is_controllers(label: &str) -> bool {
    CONTROLLER_LABELS.contains(&label)
        || [
            "batch.kubernetes.io/",
            "statefulset.kubernetes.io/",
            "apps.kubernetes.io/",
        ]
        .iter()
        .any(|prefix| label.starts_with(prefix))
}

/// What the API server itself puts into the template of a Job: its own uid and name.
fn is_own_of_job(request: &Request, label: &str, value: &str) -> bool {
    let own = match label {
        "controller-uid" | "batch.kubernetes.io/controller-uid" => "/metadata/uid",
        "job-name" | "batch.kubernetes.io/job-name" => "/metadata/name",
        _ => return false,
    };
    request.kind() == "Job" && !value.is_empty() && text(&request.object, own) == value
}

fn finalizers(object: &Value) -> Vec<&str> {
    list(object, "/metadata/finalizers")
        .iter()
        .filter_map(Value::as_str)
        .filter(|f| f.starts_with(FINALIZERS))
        .collect()
}

fn all_finalizers(object: Option<&Value>) -> &[Value] {
    object.map_or(&[], |object| list(object, "/metadata/finalizers"))
}

/// The annotations that built-in controllers count by.
fn controllers_annotations(object: Option<&Value>) -> Vec<(&str, &str)> {
    let all = object.map(|object| map(object, "/metadata/annotations"));
    let mut theirs: Vec<(&str, &str)> = all.into_iter().flatten().collect();
    theirs.retain(|(key, _)| {
        CONTROLLER_ANNOTATIONS
            .iter()
            .any(|prefix| key.starts_with(prefix))
    });
    theirs
}

/// Whether everything of a spec but these fields is as it was.
fn spec_kept(v: &View<'_>, but: &[&str]) -> bool {
    let spec = |object: Option<&Value>| {
        let mut spec = object
            .and_then(|object| object.get("spec"))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        spec.retain(|field, _| !but.contains(&field.as_str()));
        spec
    };
    spec(Some(&v.request.object)) == spec(v.request.old_object.as_ref())
}

pub(super) static CHECKS: [Check; 9] = [
    Check {
        id: "reeve-owner",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: "an ownerReference to a kind of reeve.dev makes this the workload of somebody",
        named: None,
        remedy: "leave ownerReferences to kinds of reeve.dev as they are; a workload is submitted with reeve submit, and \
                 ends with reeve delete",
        cel: concat!(
            "variables.unmarked || variables.operator || (variables.owners.all(o, !o.apiVersion.startsWith('",
            names::PREFIX,
            "') || \
              variables.oldOwners.exists(p, ",
            SAME_OWNER,
            ")) && (variables.username in \
              ['",
            names::SERVICE_ACCOUNT_PREFIX,
            "kube-system:generic-garbage-collector', 'system:kube-controller-manager'] && \
              !('",
            names::EXTRA_POD_NAME,
            "' in variables.extra) || variables.oldOwners.all(o, \
              !o.apiVersion.startsWith('",
            names::PREFIX,
            "') || variables.owners.exists(p, ",
            SAME_OWNER,
            "))))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let ours = |o: &Value| text(o, "/apiVersion").starts_with(names::PREFIX);
            let before = owners(r.old_object.as_ref().filter(|_| v.update));
            let now = owners(Some(&r.object));
            let kept = |o: &Value| !ours(o) || now.iter().any(|other| same_owner(o, other));
            v.operator
                || (new_owners(&v).all(|o| !ours(o)) && (collects_garbage(r) || before.iter().all(kept)))
        },
    },
    Check {
        id: "controller-reference",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: "an ownerReference with controller: true makes a controller take this for its own",
        named: None,
        remedy: "remove controller: true from the ownerReference; only the controller itself writes it",
        cel: concat!(
            "variables.unmarked || variables.controller || variables.operator || variables.owners.all(o, !o.?controller.orValue(false) || \
              (!variables.person && !(o.kind in ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'ReplicaSet', \
              'ReplicationController', 'StatefulSet'])) || variables.oldOwners.exists(p, ",
            SAME_OWNER,
            "))"
        ),
        predicate: |r| {
            let v = View::of(r);
            v.controller || v.operator || new_owners(&v).all(|o| !is_controller(o) || may_control(&v, o))
        },
    },
    Check {
        id: "reeve-labels",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: concat!(
            "labels under ",
            names::PREFIX,
            " say which workload this is, and are written by the operator"
        ),
        named: None,
        remedy: concat!(
            "leave labels that begin with ",
            names::PREFIX,
            " as they are, in the metadata of the object and of its template"
        ),
        cel: concat!(
            "variables.unmarked || variables.controller || variables.operator || (variables.labels.all(i, m, m.all(k, \
              !k.startsWith('",
            names::PREFIX,
            "') || k == '",
            names::USER,
            "' || (k in variables.oldLabels[i] && \
              variables.oldLabels[i][k] == m[k]))) && variables.oldLabels.all(i, m, m.all(k, \
              !k.startsWith('",
            names::PREFIX,
            "') || k in variables.labels[i])))"
        ),
        predicate: |r| {
            let v = View::of(r);
            v.controller
                || v.operator
                || v.labels().iter().all(|(new, old)| {
                    let ours = |k: &str| k.starts_with(names::PREFIX);
                    new.iter()
                        .all(|(k, value)| !ours(k) || *k == names::USER || old.get(k) == Some(value))
                        && old.keys().all(|k| !ours(k) || new.contains_key(k))
                })
        },
    },
    Check {
        id: "user-label",
        policy: Policy::Pods,
        rule: Rule(19),
        problem: concat!(
            "the label ",
            names::USER,
            " is the id of the person whose this is, and you are somebody else"
        ),
        named: None,
        remedy: concat!(
            "remove the label ",
            names::USER,
            ", it is filled in where it is needed"
        ),
        cel: concat!(
            "variables.unmarked || variables.controller || variables.operator || variables.labels.all(i, m, !('",
            names::USER,
            "' in m) || \
              (variables.person && m['",
            names::USER,
            "'] == variables.userId) || ('",
            names::USER,
            "' in \
              variables.oldLabels[i] && variables.oldLabels[i]['",
            names::USER,
            "'] == m['",
            names::USER,
            "']))"
        ),
        predicate: |r| {
            let v = View::of(r);
            v.controller
                || v.operator
                || v.labels().iter().all(|(new, old)| {
                    let value = new.get(names::USER);
                    value.is_none()
                        || (v.person && value == Some(&r.user.uid.as_str()))
                        || old.get(names::USER) == value
                })
        },
    },
    Check {
        id: "controller-labels",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: "a pod with the labels that a controller selects by is taken for one that the controller made",
        named: None,
        remedy: "remove controller-uid, job-name, pod-template-hash, controller-revision-hash, \
                 pod-template-generation and labels under batch.kubernetes.io/, apps.kubernetes.io/ and \
                 statefulset.kubernetes.io/: controllers set them",
        cel: "variables.unmarked || variables.controller || variables.operator || [variables.labels.size() - 1].all(i, \
              variables.labels[i].all(k, !(k in ['controller-uid', 'job-name', 'pod-template-hash', \
              'controller-revision-hash', 'pod-template-generation'] || k.startsWith('batch.kubernetes.io/') || \
              k.startsWith('statefulset.kubernetes.io/') || k.startsWith('apps.kubernetes.io/')) || \
              (k in variables.oldLabels[i] && variables.oldLabels[i][k] == variables.labels[i][k]) || \
              (object.kind == 'Job' && (k in ['controller-uid', 'batch.kubernetes.io/controller-uid'] ? \
              variables.labels[i][k] == object.metadata.?uid.orValue('') : k in ['job-name', \
              'batch.kubernetes.io/job-name'] && variables.labels[i][k] == object.metadata.name))))",
        predicate: |r| {
            let v = View::of(r);
            let labels = v.labels();
            let Some((new, old)) = labels.last() else {
                return true;
            };
            v.controller
                || v.operator
                || new.iter().all(|(k, value)| {
                    !is_controllers(k) || old.get(k) == Some(value) || is_own_of_job(r, k, value)
                })
        },
    },
    Check {
        id: "manual-selector",
        policy: Policy::Pods,
        rule: Rule(19),
        problem: "a Job with manualSelector takes pods of others for its own",
        named: None,
        remedy: "remove manualSelector and the selector, the API server makes one that finds this Job alone",
        cel: "object.kind != 'Job' || variables.update || !variables.person || \
              !dyn(object).spec.?manualSelector.orValue(false)",
        predicate: |r| {
            let v = View::of(r);
            let manual = r.object.pointer("/spec/manualSelector").and_then(Value::as_bool);
            v.update || !v.person || r.kind() != "Job" || manual != Some(true)
        },
    },
    Check {
        id: "controller-finalizers",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: "the Job controller counts pods by their finalizer batch.kubernetes.io/job-tracking",
        named: None,
        remedy: "leave finalizers under batch.kubernetes.io/ to the Job controller; one that hangs an administrator \
                 removes",
        cel: "variables.unmarked || variables.controller || object.kind != 'Pod' || [[object.metadata.?finalizers.orValue([]).filter(f, \
              f.startsWith('batch.kubernetes.io/')), variables.update ? \
              oldObject.metadata.?finalizers.orValue([]).filter(f, f.startsWith('batch.kubernetes.io/')) : []]]\
              .all(p, p[0].all(f, f in p[1]) && (!variables.person || p[1].all(f, f in p[0])))",
        predicate: |r| {
            let v = View::of(r);
            let old = r
                .old_object
                .as_ref()
                .filter(|_| v.update)
                .map(finalizers)
                .unwrap_or_default();
            let new = finalizers(&r.object);
            v.controller
                || r.kind() != "Pod"
                || (new.iter().all(|f| old.contains(f)) && (!v.person || old.iter().all(|f| new.contains(f))))
        },
    },
    Check {
        id: "foreign-metadata",
        policy: Policy::Pods,
        rule: Rule(18),
        problem: "this runs as somebody else, and controllers act on its owners, its finalizers, the labels of its pods and \
                  their own annotations",
        named: None,
        remedy: "leave ownerReferences, finalizers and annotations of batch.kubernetes.io/ and deployment.kubernetes.io/ as \
                 they are, and labels of pods and ReplicaSets too; label the object that made them, or ask the person whose \
                 it is",
        cel: "!variables.update || !variables.bystander || ((variables.owners == variables.oldOwners) && \
              object.metadata.?finalizers.orValue([]) == oldObject.metadata.?finalizers.orValue([]) && \
              (!(object.kind in ['Pod', 'ReplicaSet']) || variables.labels[0] == variables.oldLabels[0]) && \
              [dyn(object.metadata.?annotations.orValue({}))].all(n, \
              [dyn(oldObject.metadata.?annotations.orValue({}))].all(o, ['batch.kubernetes.io/', \
              'deployment.kubernetes.io/', 'deprecated.daemonset.template.generation'].all(x, n.all(k, \
              !k.startsWith(x) || (k in o && o[k] == n[k])) && o.all(k, !k.startsWith(x) || k in n)))))",
        predicate: |r| {
            let v = View::of(r);
            let old = r.old_object.as_ref();
            let labels = v.labels();
            !v.update
                || !is_bystander(&v)
                || (owners(Some(&r.object)) == owners(old)
                    && all_finalizers(Some(&r.object)) == all_finalizers(old)
                    && controllers_annotations(Some(&r.object)) == controllers_annotations(old)
                    && (!["Pod", "ReplicaSet"].contains(&r.kind())
                        || labels.first().is_none_or(|(new, old)| new == old)))
        },
    },
    Check {
        id: "foreign-job",
        policy: Policy::Pods,
        rule: Rule(7),
        problem: "this Job runs as somebody else, and only that person may change when it counts as done",
        named: None,
        remedy: "change suspend alone, and of a Job parallelism; ask that person for the rest, or delete it",
        cel: "!variables.update || !(object.kind in ['Job', 'CronJob']) || variables.subresource != '' || \
              !variables.bystander || [dyn(object.spec)].all(n, [dyn(oldObject.spec)].all(o, n.all(k, k == 'suspend' || \
              (object.kind == 'Job' && k == 'parallelism') || (k in o && n[k] == o[k])) && o.all(k, k == 'suspend' || \
              (object.kind == 'Job' && k == 'parallelism') || k in n)))",
        predicate: |r| {
            let v = View::of(r);
            let free: &[&str] = if r.kind() == "Job" {
                &["suspend", "parallelism"]
            } else {
                &["suspend"]
            };
            !v.update
                || !["Job", "CronJob"].contains(&r.kind())
                || !r.subresource.is_empty()
                || !is_bystander(&v)
                || spec_kept(&v, free)
        },
    },
];
