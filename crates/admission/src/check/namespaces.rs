//! Labels of project namespaces: settings reach the policies through them, so they are protected (R2, R11).

use constcat::concat;
use reeve_types::names::is_reserved_namespace;
use serde_json::Value;

use super::{Check, Named, Policy, Rule, is_protected, our_annotations};
use crate::names;
use crate::request::{Operation, Request, map, text};

/// Whether the old or the new object carries a label or an annotation of ours: the policy's match condition.
pub(super) fn concerns_a_project(request: &Request) -> bool {
    let marked = |object: &Value| {
        ["/metadata/labels", "/metadata/annotations"]
            .iter()
            .any(|at| map(object, at).keys().any(|k| k.starts_with(names::PREFIX)))
    };
    marked(&request.object) || request.old_object.as_ref().is_some_and(marked)
}

fn is_project(request: &Request) -> bool {
    new_label(request, names::PROJECT).is_some() || old_label(request, names::PROJECT).is_some()
}

fn new_label<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    map(&request.object, "/metadata/labels").get(name).copied()
}

fn old_label<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request
        .old_object
        .as_ref()
        .and_then(|o| map(o, "/metadata/labels").get(name).copied())
}

fn may_write(request: &Request) -> bool {
    request.user.is_operator() || request.user.is_installer()
}

/// Names and values of labels.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// The protected labels of the new and of the old object.
fn protected_labels(request: &Request) -> (Labels<'_>, Labels<'_>) {
    let project = is_project(request);
    let of = |object| {
        map(object, "/metadata/labels")
            .into_iter()
            .filter(|(k, _)| k.starts_with(names::PREFIX) || (project && is_protected(k)))
            .collect()
    };
    (
        of(&request.object),
        request.old_object.as_ref().map(of).unwrap_or_default(),
    )
}

/// Whether an annotation of the new object has a value.
fn says(request: &Request, annotation: &str) -> bool {
    let annotations = map(&request.object, "/metadata/annotations");
    annotations.get(annotation).is_some_and(|value| !value.is_empty())
}

pub(super) static CHECKS: [Check; 8] = [
    Check {
        id: "system-namespace",
        policy: Policy::Namespaces,
        rule: Rule(11),
        problem: "a namespace of the system can never become a project",
        named: Named::always("'the namespace ' + object.metadata.name + ' can never become a project'"),
        remedy: concat!(
            "give the project another name or another requestedNamespace, and leave ",
            names::PROJECT,
            " off this one"
        ),
        cel: concat!(
            "!('",
            names::PROJECT,
            "' in variables.labels) || !(object.metadata.name in ['default', '",
            names::SYSTEM_NAMESPACE,
            "', '",
            names::REFERENCE_NAMESPACE,
            "', '",
            names::SECRETS_NAMESPACE,
            "'] || \
              object.metadata.name.startsWith('kube-'))"
        ),
        predicate: |r| {
            new_label(r, names::PROJECT).is_none()
                || !is_reserved_namespace(text(&r.object, "/metadata/name"))
        },
    },
    Check {
        id: "project-namespace-writer",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: "only the operator makes namespaces of projects",
        named: Named::always("variables.username + ' may not make a namespace of a project'"),
        remedy: concat!(
            "create the project in Reeve, or ask a member of the group ",
            names::INSTALLERS
        ),
        cel: "variables.update || variables.operator || variables.installer",
        predicate: |r| r.operation == Operation::Update || may_write(r),
    },
    Check {
        id: "project-label",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: concat!(
            "the label ",
            names::PROJECT,
            " cannot be added, changed or removed later"
        ),
        named: Named::always(concat!(
            "'the label ",
            names::PROJECT,
            " of the namespace ' + object.metadata.name + ' cannot be added, changed or \
             removed by ' + variables.username"
        )),
        remedy: concat!("ask a member of the group ", names::INSTALLERS),
        cel: concat!(
            "!variables.update || variables.installer || variables.labels[?'",
            names::PROJECT,
            "'].orValue('') == \
              variables.oldLabels[?'",
            names::PROJECT,
            "'].orValue('') && ('",
            names::PROJECT,
            "' in variables.labels) == \
              ('",
            names::PROJECT,
            "' in variables.oldLabels)"
        ),
        predicate: |r| {
            r.operation != Operation::Update
                || r.user.is_installer()
                || new_label(r, names::PROJECT) == old_label(r, names::PROJECT)
        },
    },
    Check {
        id: "protected-labels",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: concat!(
            "labels under ",
            names::PREFIX,
            " and ",
            names::POD_SECURITY_PREFIX,
            " and ",
            names::QUEUE,
            " decide what is admitted here"
        ),
        named: None,
        remedy: concat!(
            "change the settings of the project or the ReeveConfig; by hand only the group ",
            names::INSTALLERS,
            " may"
        ),
        cel: concat!(
            "!variables.update || variables.operator || variables.installer || (variables.labels.all(k, \
              !(k.startsWith('",
            names::PREFIX,
            "') || (variables.project && (k.startsWith('",
            names::POD_SECURITY_PREFIX,
            "') || \
              k == '",
            names::QUEUE,
            "'))) || (k in variables.oldLabels && variables.oldLabels[k] == variables.labels[k])) && \
              variables.oldLabels.all(k, !(k.startsWith('",
            names::PREFIX,
            "') || (variables.project && \
              (k.startsWith('",
            names::POD_SECURITY_PREFIX,
            "') || k == '",
            names::QUEUE,
            "'))) || k in variables.labels))"
        ),
        predicate: |r| {
            let (new, old) = protected_labels(r);
            r.operation != Operation::Update || may_write(r) || new == old
        },
    },
    Check {
        id: "protected-annotations",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: concat!(
            "annotations under ",
            names::PREFIX,
            " of a namespace decide what is admitted in it"
        ),
        named: None,
        remedy: concat!("ask a member of the group ", names::INSTALLERS),
        cel: "variables.operator || variables.installer || variables.annotations == variables.oldAnnotations",
        predicate: |r| {
            let old = r
                .old_object
                .as_ref()
                .filter(|_| r.operation == Operation::Update)
                .map(our_annotations)
                .unwrap_or_default();
            may_write(r) || our_annotations(&r.object) == old
        },
    },
    Check {
        id: "bounds-label",
        policy: Policy::Namespaces,
        rule: Rule(34),
        problem: concat!(
            names::BOUNDS_PODS,
            " says that no pods are bound here, and ",
            names::NODE_POOLS,
            " binds them"
        ),
        named: None,
        remedy: concat!(
            "remove the label ",
            names::BOUNDS_PODS,
            " in the same change, the operator sets it again"
        ),
        cel: concat!(
            "variables.labels[?'",
            names::BOUNDS_PODS,
            "'].orValue('') != '",
            names::OFF,
            "' || object.metadata.?annotations[?'",
            names::NODE_POOLS,
            "'].orValue('') == ''"
        ),
        predicate: |r| new_label(r, names::BOUNDS_PODS) != Some(names::OFF) || !says(r, names::NODE_POOLS),
    },
    Check {
        id: "operator-pod-security",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: "the operator may not take Pod Security below baseline",
        named: None,
        remedy: concat!(
            names::POD_SECURITY_ENFORCE,
            " must be restricted or baseline; others are set by ",
            names::INSTALLERS
        ),
        cel: concat!(
            "!variables.operator || variables.labels[?'",
            names::POD_SECURITY_ENFORCE,
            "'].orValue('') in \
              ['restricted', 'baseline'] || (variables.update && \
              variables.labels[?'",
            names::POD_SECURITY_ENFORCE,
            "'].orValue('') == \
              variables.oldLabels[?'",
            names::POD_SECURITY_ENFORCE,
            "'].orValue(''))"
        ),
        predicate: |r| {
            let new = new_label(r, names::POD_SECURITY_ENFORCE).unwrap_or("");
            let old = old_label(r, names::POD_SECURITY_ENFORCE).unwrap_or("");
            !r.user.is_operator()
                || ["restricted", "baseline"].contains(&new)
                || (r.operation == Operation::Update && new == old)
        },
    },
    Check {
        id: "pod-security-version",
        policy: Policy::Namespaces,
        rule: Rule(2),
        problem: concat!(
            names::POD_SECURITY_ENFORCE_VERSION,
            " would enforce the Pod Security of an older Kubernetes"
        ),
        named: None,
        remedy: concat!(
            "remove the label or set it to latest; another version is set by ",
            names::INSTALLERS
        ),
        cel: concat!(
            "variables.installer || !variables.project || \
              variables.labels[?'",
            names::POD_SECURITY_ENFORCE_VERSION,
            "'].orValue('latest') \
              == 'latest' || (variables.update && \
              variables.labels[?'",
            names::POD_SECURITY_ENFORCE_VERSION,
            "'].orValue('latest') == \
              variables.oldLabels[?'",
            names::POD_SECURITY_ENFORCE_VERSION,
            "'].orValue('latest'))"
        ),
        predicate: |r| {
            let new = new_label(r, names::POD_SECURITY_ENFORCE_VERSION);
            r.user.is_installer()
                || !is_project(r)
                || new.is_none_or(|version| version == "latest")
                || (r.operation == Operation::Update
                    && new == old_label(r, names::POD_SECURITY_ENFORCE_VERSION))
        },
    },
];

#[cfg(test)]
mod tests {
    use reeve_types::names::{RESERVED_NAMESPACE_PREFIX, RESERVED_NAMESPACES};

    #[test]
    fn the_expression_names_the_reserved_namespaces_and_no_others() {
        let cel = super::CHECKS[0].cel;
        let list = crate::cel::cel_list(&RESERVED_NAMESPACES);
        assert!(cel.contains(&format!("object.metadata.name in {list} ")), "{cel}");
        assert!(
            cel.contains(&format!(
                "object.metadata.name.startsWith('{RESERVED_NAMESPACE_PREFIX}')"
            )),
            "{cel}"
        );
    }
}
