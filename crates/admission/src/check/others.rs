//! The other ways round: bindings, controller revisions, the operator's RoleBindings, our own custom resources.

use constcat::concat;
use serde_json::Value;

use super::{Check, Named, Policy, Rule, our_annotations};
use crate::names;
use crate::request::{Operation, Request, list, map, text};

fn own_subject(subject: &Value) -> bool {
    text(subject, "/kind") == "ServiceAccount"
        && text(subject, "/name") == names::OPERATOR_SERVICE_ACCOUNT
        && text(subject, "/namespace") == names::SYSTEM_NAMESPACE
}

fn outside_subject(subject: &Value) -> bool {
    let name = text(subject, "/name");
    let reserved = names::RESERVED_PREFIXES.iter().any(|p| name.starts_with(p));
    match text(subject, "/kind") {
        "User" => !reserved || name.starts_with(names::APPLICATION_PREFIX),
        "Group" => !reserved,
        _ => false,
    }
}

/// All ServiceAccounts of some namespace: who may use the constraints of OpenShift. Where, the binding's namespace says.
fn is_of_service_accounts(subject: &Value) -> bool {
    text(subject, "/kind") == "Group"
        && text(subject, "/name").starts_with(names::SERVICE_ACCOUNTS_GROUP_PREFIX)
}

fn subjects_ok(request: &Request) -> bool {
    let subjects = list(&request.object, "/subjects");
    if names::OPERATOR_ROLES.contains(&text(&request.object, "/roleRef/name")) {
        subjects.iter().all(own_subject)
    } else if text(&request.object, "/roleRef/name") == names::OPENSHIFT_CONSTRAINTS {
        subjects.iter().all(is_of_service_accounts)
    } else {
        subjects.iter().all(outside_subject)
    }
}

/// Nothing but metadata that is not ours changes: garbage collection, finalizers, labels.
fn same_content(request: &Request) -> bool {
    let Some(old) = &request.old_object else {
        return false;
    };
    request.operation == Operation::Update
        && request.subresource.is_empty()
        && request.object.get("spec") == old.get("spec")
        && our_annotations(&request.object) == our_annotations(old)
}

pub(super) static CHECKS: [Check; 8] = [
    Check {
        id: "binding-annotations",
        policy: Policy::Bindings,
        rule: Rule(3),
        problem: "a binding may not write annotations and labels that we or controllers act on into a pod",
        named: None,
        remedy: "remove them from the binding",
        cel: concat!(
            "object.metadata.?annotations.orValue({}).all(k, !k.startsWith('",
            names::PREFIX,
            "')) && \
              object.metadata.?labels.orValue({}).all(k, !(k in ['controller-uid', 'job-name', 'pod-template-hash', \
              'controller-revision-hash', 'pod-template-generation'] || k.startsWith('",
            names::PREFIX,
            "') || \
              k.startsWith('batch.kubernetes.io/') || k.startsWith('statefulset.kubernetes.io/') || \
              k.startsWith('apps.kubernetes.io/')))"
        ),
        predicate: |r| {
            our_annotations(&r.object).is_empty()
                && map(&r.object, "/metadata/labels")
                    .keys()
                    .all(|k| !k.starts_with(names::PREFIX) && !super::ownership::is_controllers(k))
        },
    },
    Check {
        id: "revision-writer",
        policy: Policy::ControllerRevisions,
        rule: Rule(4),
        problem: "only the controllers of StatefulSets and DaemonSets write ControllerRevisions",
        named: None,
        remedy: "change the template of the StatefulSet or DaemonSet instead",
        cel: concat!(
            "(variables.username in ['",
            names::STATEFUL_SET_CONTROLLER,
            "', \
              '",
            names::SERVICE_ACCOUNT_PREFIX,
            "kube-system:daemon-set-controller', 'system:kube-controller-manager'] && \
              variables.controller) || (request.operation == 'UPDATE' && object.?data == oldObject.?data && \
              object.?revision.orValue(0) == oldObject.?revision.orValue(0))"
        ),
        predicate: |r| {
            let writers = [
                "statefulset-controller",
                "daemon-set-controller",
                "system:kube-controller-manager",
            ];
            let old = r.old_object.as_ref();
            let same = |field| old.and_then(|o| o.get(field)) == r.object.get(field);
            r.user.is_controller() && writers.iter().any(|w| r.user.username.ends_with(w))
                || r.operation == Operation::Update && same("data") && same("revision")
        },
    },
    Check {
        id: "operator-binding-namespace",
        policy: Policy::OperatorBindings,
        rule: Rule(11),
        problem: "the operator binds roles in namespaces of projects only",
        named: Named::always("'the operator may not bind a role in the namespace ' + request.namespace"),
        remedy: concat!(
            "the namespace needs the label ",
            names::PROJECT,
            ", which the group ",
            names::INSTALLERS,
            " can add"
        ),
        cel: concat!(
            "namespaceObject.metadata.?labels[?'",
            names::PROJECT,
            "'].hasValue()"
        ),
        predicate: Request::in_project,
    },
    Check {
        id: "operator-binding-role",
        policy: Policy::OperatorBindings,
        rule: Rule(11),
        problem: "the operator binds no other roles than those of Reeve",
        named: Named::always(
            "'the operator may not bind the ' + object.roleRef.kind + ' ' + object.roleRef.name",
        ),
        remedy: "use one of the ClusterRoles that the chart installs",
        cel: concat!(
            "object.roleRef.kind == 'ClusterRole' && object.roleRef.name in ",
            names::PEOPLE_CLUSTER_ROLES_CEL,
            " + ['",
            names::OPENSHIFT_CONSTRAINTS,
            "'] + ",
            names::OPERATOR_ROLES_CEL
        ),
        predicate: |r| {
            let role = text(&r.object, "/roleRef/name");
            text(&r.object, "/roleRef/kind") == "ClusterRole"
                && (names::PEOPLE_CLUSTER_ROLES.contains(&role)
                    || role == names::OPENSHIFT_CONSTRAINTS
                    || names::OPERATOR_ROLES.contains(&role))
        },
    },
    Check {
        id: "operator-binding-subjects",
        policy: Policy::OperatorBindings,
        rule: Rule(11),
        problem: "the operator binds people, their groups and applications, and its own roles only to itself",
        named: None,
        remedy: "remove service accounts and names that begin with system: or reeve: from the subjects",
        cel: concat!(
            "object.?subjects.orValue([]).all(s, object.roleRef.name in ",
            names::OPERATOR_ROLES_CEL,
            " ? \
              (s.kind == 'ServiceAccount' && s.name == '",
            names::OPERATOR_SERVICE_ACCOUNT,
            "' && s.?namespace.orValue('') == '",
            names::SYSTEM_NAMESPACE,
            "') \
              : object.roleRef.name == '",
            names::OPENSHIFT_CONSTRAINTS,
            "' ? (s.kind == 'Group' && s.name.startsWith('",
            names::SERVICE_ACCOUNTS_GROUP_PREFIX,
            "')) : ((s.kind == 'User' && s.name.startsWith('",
            names::APPLICATION_PREFIX,
            "')) || (s.kind in ['User', 'Group'] && \
              !s.name.startsWith('system:') && !s.name.startsWith('reeve:'))))"
        ),
        predicate: subjects_ok,
    },
    Check {
        id: "workload-writer",
        policy: Policy::Resources,
        rule: Rule(12),
        problem: "a Workload carries an identity that the server verified, and only the operator writes it",
        named: None,
        remedy: "submit with reeve submit or POST /api/v1/workloads/trainings",
        cel: "request.resource.resource != 'workloads' || variables.operator || (request.operation == 'UPDATE' && \
              variables.subresource == '' && dyn(object).?spec == dyn(oldObject).?spec && \
              variables.annotations == variables.oldAnnotations)",
        predicate: |r| r.kind() != "Workload" || r.user.is_operator() || same_content(r),
    },
    Check {
        id: "identities-writer",
        policy: Policy::Resources,
        rule: Rule(8),
        problem: "PodIdentities decides who may step into which pod, and only the operator writes it",
        named: None,
        remedy: "leave it alone; a pod appears in it by itself, under the person it runs as",
        cel: "request.resource.resource != 'podidentities' || variables.operator || (request.operation == 'UPDATE' && \
              variables.subresource == '' && dyn(object).?spec == dyn(oldObject).?spec && \
              variables.annotations == variables.oldAnnotations)",
        predicate: |r| r.kind() != "PodIdentities" || r.user.is_operator() || same_content(r),
    },
    Check {
        id: "config-writer",
        policy: Policy::Resources,
        rule: Rule(13),
        problem: "ReeveConfig decides whether containers run as people",
        named: None,
        remedy: concat!("ask a member of the group ", names::INSTALLERS, " to change it"),
        cel: "request.resource.resource != 'reeveconfigs' || variables.installer || \
              (variables.operator && variables.subresource == 'status')",
        predicate: |r| {
            r.kind() != "ReeveConfig"
                || r.user.is_installer()
                || (r.user.is_operator() && r.subresource == "status")
        },
    },
];
