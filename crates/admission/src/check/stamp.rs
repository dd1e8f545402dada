//! Who may write a pod or a template, and what the stamp must say: the table "Who may do what".

use constcat::concat;

use super::{Check, Named, Policy, Rule};
use crate::names;
use crate::request::{controlled_by, text};
use crate::view::{NO_PERSON, STAMP, View, has_stamp_form};

pub(super) static CHECKS: [Check; 13] = [
    Check {
        id: "stamp-unchanged",
        policy: Policy::Pods,
        rule: Rule(3),
        problem: concat!("the annotation ", names::RUNS_AS, " cannot be changed by itself"),
        named: None,
        remedy: "leave it as it is, or change the template as the person it is to run as",
        cel: "variables.changed || variables.stamp == variables.oldStamp",
        predicate: |r| {
            let v = View::of(r);
            v.changed || v.stamp == v.old_stamp
        },
    },
    Check {
        id: "rollback-annotation",
        policy: Policy::Pods,
        rule: Rule(4),
        problem: concat!(
            "the annotation ",
            names::ROLLBACK_TO,
            " would let a controller rewrite the template"
        ),
        named: None,
        remedy: "remove it and roll back with kubectl rollout undo",
        cel: concat!(
            "object.kind != 'Deployment' || !('",
            names::ROLLBACK_TO,
            "' in \
              object.metadata.?annotations.orValue({}))"
        ),
        predicate: |r| {
            r.kind() != "Deployment"
                || r.object
                    .pointer("/metadata/annotations")
                    .is_none_or(|a| a.get(names::ROLLBACK_TO).is_none())
        },
    },
    Check {
        id: "verified-identity",
        policy: Policy::Pods,
        rule: Rule(5),
        problem: "this user has no verified uid and gid, and this project runs containers as people",
        named: Named::unless_with(
            concat!(
                "'",
                names::EXTRA_UID,
                "' in variables.extra && !variables.username.startsWith('",
                names::SERVICE_ACCOUNT_PREFIX,
                "')"
            ),
            concat!(
                "(variables.username.startsWith('",
                names::SERVICE_ACCOUNT_PREFIX,
                "') ? 'the service account ' : 'the user ') + \
             variables.username + ' has no verified uid and gid, and this project runs containers as people'"
            ),
            concat!(
                "a person with uid and gid makes or changes this, or it runs in a namespace that is no project; a queue that \
             only chooses nodes is listed by ",
                names::INSTALLERS,
                " in spec.trustedMutators of ReeveConfig"
            ),
        ),
        remedy: concat!(
            "sign in with reeve login; an administrator can map uid and gid at the identity provider or set \
                 posix on the user; ",
            names::INSTALLERS,
            " can switch enforceRunAsUser off"
        ),
        cel: "variables.fresh || !variables.changed || variables.person || variables.controller || variables.operator || \
              !variables.enforced || variables.placing || variables.relaying",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || v.person || v.controller || v.operator || !v.enforced || v.placing() || v.relaying()
        },
    },
    Check {
        id: "template-owner",
        policy: Policy::Pods,
        rule: Rule(7),
        problem: "this runs as somebody else, and only that person may change what runs in it",
        named: Named::unless(
            "!variables.update",
            "'this runs as ' + variables.oldStamp + ' (user id/uid/gid/groups), and only that person may change what \
             runs in it'",
        ),
        remedy: "ask that person, or delete it and make one of your own; labelling is allowed, and scaling by changing \
                 spec.replicas with kubectl patch or kubectl edit (kubectl scale is granted to nobody)",
        cel: "variables.fresh || !variables.changed || variables.controller || variables.operator || \
              variables.subresource == 'ephemeralcontainers' || variables.oldStamp == '' || \
              (variables.person && variables.oldStamp.startsWith(variables.userId + '/')) || variables.placing || \
              variables.relaying",
        predicate: |r| {
            let v = View::of(r);
            !v.changed
                || v.controller
                || v.operator
                || r.subresource == "ephemeralcontainers"
                || v.owned()
                || v.placing()
                || v.relaying()
        },
    },
    Check {
        id: "debug-owner",
        policy: Policy::Pods,
        rule: Rule(8),
        problem: "this pod runs as somebody else, and only that person may add a container to it",
        named: None,
        remedy: "ask that person to debug it, or run the same as yourself: of kubectl get pod -o yaml keep apiVersion, \
                 kind and of spec only containers and volumes, give it a name of its own and create it (kubectl debug \
                 --copy-to would keep her securityContext)",
        cel: "variables.fresh || !variables.changed || variables.controller || variables.operator || \
              variables.subresource != 'ephemeralcontainers' || variables.oldStamp == '' || \
              (variables.person && variables.oldStamp.startsWith(variables.userId + '/'))",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || v.controller || v.operator || r.subresource != "ephemeralcontainers" || v.owned()
        },
    },
    Check {
        id: "controller-template",
        policy: Policy::Pods,
        rule: Rule(4),
        problem: "a controller only copies templates",
        named: None,
        remedy: "change the template as the person it runs as",
        cel: "variables.fresh || !variables.changed || !variables.controller || !variables.update",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || !v.controller || !v.update
        },
    },
    Check {
        id: "controller-owner",
        policy: Policy::Pods,
        rule: Rule(4),
        problem: "a controller may only make what an object with a template owns",
        named: None,
        remedy: "let the controller set its ownerReference with controller: true",
        cel: "variables.fresh || variables.update || !variables.controller || \
              object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))",
        predicate: |r| {
            let v = View::of(r);
            v.update || !v.controller || controlled_by(&r.object, |_| true)
        },
    },
    Check {
        id: "operator-template",
        policy: Policy::Pods,
        rule: Rule(12),
        problem: "the operator never changes what runs",
        named: None,
        remedy: "delete the workload and submit it again",
        cel: "variables.fresh || !variables.changed || !variables.operator || !variables.update",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || !v.operator || !v.update
        },
    },
    Check {
        id: "operator-workload",
        policy: Policy::Pods,
        rule: Rule(12),
        problem: "the operator makes nothing but Jobs of a Workload",
        named: None,
        remedy: "submit a workload, so that the Job has a Workload as its controller",
        cel: concat!(
            "variables.fresh || variables.update || !variables.operator || (object.kind == 'Job' && \
              object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false) && \
              o.kind == 'Workload' && o.apiVersion.startsWith('",
            names::PREFIX,
            "')))"
        ),
        predicate: |r| {
            let v = View::of(r);
            let of_workload = |o: &serde_json::Value| {
                text(o, "/kind") == "Workload" && text(o, "/apiVersion").starts_with(names::PREFIX)
            };
            v.update || !v.operator || (r.kind() == "Job" && controlled_by(&r.object, of_workload))
        },
    },
    Check {
        id: "own-stamp",
        policy: Policy::Pods,
        rule: Rule(3),
        problem: concat!(
            "the annotation ",
            names::RUNS_AS,
            " is not the stamp of the one who asks"
        ),
        named: Named::unless(
            "variables.stamp.startsWith(variables.userId + '/')",
            concat!(
                "(variables.stamp == '' ? 'this has no annotation ",
                names::RUNS_AS,
                "' : 'the annotation ",
                names::RUNS_AS,
                " \
             says ' + variables.stamp) + ', you are ' + variables.claimed"
            ),
        ),
        remedy: "remove the annotation, it is filled in for you; a pod that exists must be made again",
        cel: "!variables.changed || !variables.person || variables.stamp == variables.claimed",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || !v.person || v.stamp == v.mine
        },
    },
    Check {
        id: "stamp-without-identity",
        policy: Policy::Pods,
        rule: Rule(3),
        problem: "somebody without a verified identity cannot say whose this is",
        named: None,
        remedy: concat!(
            "remove the annotation ",
            names::RUNS_AS,
            ": it is filled in for people with uid and gid"
        ),
        cel: "variables.fresh || !variables.changed || variables.person || variables.controller || variables.operator || \
              variables.stamp == '' || variables.placing || variables.relaying",
        predicate: |r| {
            let v = View::of(r);
            !v.changed
                || v.person
                || v.controller
                || v.operator
                || v.stamp.is_empty()
                || v.placing()
                || v.relaying()
        },
    },
    Check {
        id: "stamp-form",
        policy: Policy::Pods,
        rule: Rule(3),
        problem: concat!("the annotation ", names::RUNS_AS, " is no stamp of a person"),
        named: None,
        remedy: "write the template again as yourself: userid/uid/gid/groups is filled in, with ids of people, which 0, \
                 65534, 65535 and what is above 2147483647 are not",
        cel: concat!(
            "!variables.changed || variables.stamp == '' || variables.stamp.matches('",
            STAMP,
            "') && !variables.stamp.matches('",
            NO_PERSON,
            "')"
        ),
        predicate: |r| {
            let v = View::of(r);
            !v.changed || v.stamp.is_empty() || has_stamp_form(v.stamp)
        },
    },
    Check {
        id: "stamp-present",
        policy: Policy::Pods,
        rule: Rule(4),
        problem: "this says nothing of whose it is, and this project runs containers as people",
        named: None,
        remedy: "it may be older than the switch enforceRunAsUser; as a person with uid and gid write what it comes from \
                 again, unchanged: kubectl get KIND NAME -o yaml | kubectl replace -f -; make a Job anew from its manifest: \
                 kubectl replace --force -f FILE",
        cel: "variables.worn || !variables.changed || !variables.enforced || variables.stamp != ''",
        predicate: |r| {
            let v = View::of(r);
            !v.changed || !v.enforced || !v.stamp.is_empty()
        },
    },
];
