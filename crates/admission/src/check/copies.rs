//! Copies of Secrets: nobody but the operator writes one, the operator writes no other Secret, and where it may read Secrets lie
//! only those that say whom they are for (R26, R27).
//!
//! RBAC knows neither labels nor what a Secret was before. So the operator's rights to write Secrets are cut down here: what it may
//! make, change or delete bears its mark, and nobody else can write that mark. A Secret that somebody made by hand is never
//! overwritten, whatever the operator's program does.

use constcat::concat;
use serde_json::Value;

use super::{Check, Policy, Rule};
use crate::names;
use crate::request::{Operation, Request, map};

/// Whether an object bears the mark of a copy.
fn is_copy(object: &Value) -> bool {
    map(object, "/metadata/labels").get(names::MANAGED) == Some(&names::MANAGED_SECRETS)
}

fn was_copy(request: &Request) -> bool {
    request.old_object.as_ref().is_some_and(is_copy)
}

/// Whether the request is one of a copy, or of the operator: the policy's match condition.
pub(super) fn concerns(request: &Request) -> bool {
    request.user.is_operator() || is_copy(&request.object) || was_copy(request)
}

/// [`is_copy`] as CEL; false of an object that is not there.
pub(crate) fn is_copy_cel(object: &str) -> String {
    format!(
        "{object} != null && {object}.metadata.?labels[?'{}'].orValue('') == '{}'",
        names::MANAGED,
        names::MANAGED_SECRETS
    )
}

/// [`concerns`] as CEL.
pub(crate) fn match_conditions() -> Vec<(&'static str, String)> {
    let operator = format!(
        "request.userInfo.?username.orValue('') == '{}'",
        names::OPERATOR_USER
    );
    let (new, old) = (is_copy_cel("object"), is_copy_cel("oldObject"));
    vec![("copies", format!("{operator} || ({new}) || ({old})"))]
}

/// Who removes what goes with something else.
const REMOVERS: [&str; 3] = [
    concat!(
        names::SERVICE_ACCOUNT_PREFIX,
        "kube-system:generic-garbage-collector"
    ),
    concat!(names::SERVICE_ACCOUNT_PREFIX, "kube-system:namespace-controller"),
    "system:kube-controller-manager",
];

/// Nothing that anybody reads changes, as when storage is rewritten in a new version.
fn is_unchanged(request: &Request) -> bool {
    let Some(old) = request.old_object.as_ref() else {
        return false;
    };
    let same = |field: &str| request.object.pointer(field) == old.pointer(field);
    request.operation == Operation::Update
        && [
            "/data",
            "/type",
            "/immutable",
            "/metadata/labels",
            "/metadata/annotations",
            "/metadata/finalizers",
            "/metadata/ownerReferences",
        ]
        .iter()
        .all(|field| same(field))
}

/// Whether a request makes, changes or removes a credential of the control plane where Secrets for projects lie.
fn is_credential_write(request: &Request) -> bool {
    let marked = |object: &Value| map(object, "/metadata/labels").contains_key(names::CREDENTIAL);
    request.namespace_labels.contains_key(names::SECRET_SOURCE)
        && (request.operation == Operation::Create || request.old_object.as_ref().is_some_and(marked))
        && (request.operation == Operation::Delete || marked(&request.object))
}

/// Where a department's or a project's number stands.
const NUMBERED: [&str; 3] = [
    names::TO_DEPARTMENT_KEYS[0],
    names::TO_DEPARTMENT_KEYS[1],
    names::TO_PROJECT,
];

fn is_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    digits && !text.starts_with('0')
}

/// Whether labels say whom a Secret is for.
fn is_for_somebody(labels: &std::collections::BTreeMap<&str, &str>) -> bool {
    let names_somebody = |key: &&str| labels.contains_key(*key);
    names::TO_CLUSTER_KEYS.iter().any(names_somebody) || NUMBERED.iter().any(names_somebody)
}

pub(super) static CHECKS: [Check; 4] = [
    Check {
        id: "copy-writer",
        policy: Policy::SecretCopies,
        rule: Rule(26),
        problem: concat!(
            "a Secret with the label ",
            names::MANAGED,
            ": ",
            names::MANAGED_SECRETS,
            " is a copy, which follows what it was copied from"
        ),
        named: None,
        remedy: concat!(
            "change the Secret that its annotation ",
            names::ORIGIN,
            " names; for one of your own take another name and leave the label off; by hand only the group ",
            names::INSTALLERS,
            " may"
        ),
        cel: concat!(
            "variables.operator || variables.installer || (request.operation == 'DELETE' && !('",
            names::EXTRA_POD_NAME,
            "' in variables.extra) && variables.username in ['",
            names::SERVICE_ACCOUNT_PREFIX,
            "kube-system:generic-garbage-collector', '",
            names::SERVICE_ACCOUNT_PREFIX,
            "kube-system:namespace-controller', 'system:kube-controller-manager']) || (request.operation == 'UPDATE' && \
              object.?data == oldObject.?data && object.?type == oldObject.?type && object.?immutable == \
              oldObject.?immutable && object.metadata.?labels == oldObject.metadata.?labels && \
              object.metadata.?annotations == oldObject.metadata.?annotations && object.metadata.?finalizers == \
              oldObject.metadata.?finalizers && object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences)"
        ),
        predicate: |r| {
            let removes = r.operation == Operation::Delete
                && REMOVERS.contains(&r.user.username.as_str())
                && r.user.extra(names::EXTRA_POD_NAME).is_empty();
            r.user.is_operator() || r.user.is_installer() || removes || is_unchanged(r)
        },
    },
    Check {
        id: "operator-copy",
        policy: Policy::SecretCopies,
        rule: Rule(26),
        problem: "the operator writes no other Secret than its copies in namespaces of projects, and credentials where it copies from",
        named: None,
        remedy: "a Secret of that name is there already and stays as it is: give one of the two another name",
        cel: concat!(
            "!variables.operator || ((request.operation == 'CREATE' || variables.wasCopy) && (request.operation == 'DELETE' \
              || (variables.isCopy && object.metadata.?annotations[?'",
            names::ORIGIN,
            "'].orValue('') != '' && namespaceObject.metadata.?labels[?'",
            names::PROJECT,
            "'].hasValue()))) || (namespaceObject.metadata.?labels[?'",
            names::SECRET_SOURCE,
            "'].hasValue() && (request.operation == 'CREATE' || oldObject.metadata.?labels[?'",
            names::CREDENTIAL,
            "'].hasValue()) && (request.operation == 'DELETE' || object.metadata.?labels[?'",
            names::CREDENTIAL,
            "'].hasValue()))"
        ),
        predicate: |r| {
            let marked = is_copy(&r.object)
                && map(&r.object, "/metadata/annotations")
                    .get(names::ORIGIN)
                    .is_some_and(|origin| !origin.is_empty());
            !r.user.is_operator()
                || is_credential_write(r)
                || ((r.operation == Operation::Create || was_copy(r))
                    && (r.operation == Operation::Delete || (marked && r.in_project())))
        },
    },
    Check {
        id: "source-scope",
        policy: Policy::SecretSources,
        rule: Rule(27),
        problem: concat!(
            "this namespace holds what the operator copies into projects, and the Secret has no label that says into which"
        ),
        named: None,
        remedy: concat!(
            "label it ",
            names::TO_CLUSTER,
            ": true, or with the number of a department or project as ",
            names::TO_DEPARTMENT,
            " or ",
            names::TO_PROJECT,
            "; put any other Secret into another namespace"
        ),
        // OpenShift gives every ServiceAccount a Secret, here too. One whose label was taken off stays, and gets no new content.
        cel: concat!(
            "['",
            names::TO_CLUSTER_KEYS[0],
            "', '",
            names::TO_CLUSTER_KEYS[1],
            "', '",
            names::TO_CLUSTER_KEYS[2],
            "', '",
            names::TO_DEPARTMENT_KEYS[0],
            "', '",
            names::TO_DEPARTMENT_KEYS[1],
            "', '",
            names::TO_PROJECT,
            "'].exists(k, k in variables.labels) || (request.operation == 'UPDATE' && object.?data == oldObject.?data) || \
              request.userInfo.?username.orValue('').startsWith('",
            names::SERVICE_ACCOUNT_PREFIX,
            "openshift-')"
        ),
        predicate: |r| {
            let same_data = r.operation == Operation::Update
                && r.old_object.as_ref().and_then(|old| old.get("data")) == r.object.get("data");
            is_for_somebody(&map(&r.object, "/metadata/labels"))
                || same_data
                || r.user
                    .username
                    .starts_with(concat!(names::SERVICE_ACCOUNT_PREFIX, "openshift-"))
        },
    },
    Check {
        id: "source-number",
        policy: Policy::SecretSources,
        rule: Rule(27),
        problem: "a label that says into which projects the Secret is copied holds something that is no number of a department or project",
        named: None,
        remedy: concat!(
            "take the number that reeve shows, as in ",
            names::TO_DEPARTMENT,
            "=3, or remove the label"
        ),
        cel: concat!(
            "['",
            names::TO_DEPARTMENT_KEYS[0],
            "', '",
            names::TO_DEPARTMENT_KEYS[1],
            "', '",
            names::TO_PROJECT,
            "'].all(k, !(k in variables.labels) || variables.labels[k].matches('^[1-9][0-9]{0,9}$'))"
        ),
        predicate: |r| {
            let labels = map(&r.object, "/metadata/labels");
            NUMBERED
                .iter()
                .all(|key| labels.get(key).is_none_or(|value| is_number(value)))
        },
    },
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_expression_names_those_who_remove() {
        for remover in super::REMOVERS {
            assert!(
                super::CHECKS[0].cel.contains(&format!("'{remover}'")),
                "{remover}"
            );
        }
    }
}
