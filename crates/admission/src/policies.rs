//! The policy objects: static text for the chart, the same on every cluster, with nothing to configure.
//!
//! Every policy fails closed and takes no parameters. On the road of pods lie two: one that fills in and one that
//! refuses, because the price is per policy. Settings reach them as labels of the namespace.

use serde_json::{Value, json};

use crate::check::{Check, Policy, checks};
use crate::mutate;
use crate::names;
use crate::view::{Variable, pod_variables, requester_variables};

/// The name of the mutating policy and its binding.
pub const DEFAULTS: &str = "reeve-defaults";
const API: &str = "admissionregistration.k8s.io/v1";

/// Every policy and binding, in the order of the chart.
pub fn policies() -> Vec<Value> {
    render(None)
}

/// The policies as a multi-document YAML text, ready for the chart.
pub fn policies_yaml() -> String {
    yaml(&policies())
}

/// The policies with the CEL of one check replaced by `true`: a planted fault that the case table must notice.
pub fn policies_with_fault(check_id: &str) -> Vec<Value> {
    render(Some(check_id))
}

/// Every name of a policy or binding that must exist on a cluster; one that is missing or differs is an alarm (R1).
pub fn expected_names() -> Vec<&'static str> {
    std::iter::once(DEFAULTS)
        .chain(Policy::ALL.map(Policy::name))
        .collect()
}

fn yaml(documents: &[Value]) -> String {
    let head = "# Generated from crates/admission by `cargo xtask gen`. Do not edit: a changed policy is an alarm.\n";
    documents.iter().fold(head.to_owned(), |all, document| {
        all + "---\n" + &crate::yaml_text(document)
    })
}

fn render(fault: Option<&str>) -> Vec<Value> {
    let mut all = vec![mutating(), mutating_binding()];
    for policy in Policy::ALL {
        all.push(validating(policy, fault));
        all.push(json!({
            "apiVersion": API,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata(policy.name()),
            "spec": {"policyName": policy.name(), "validationActions": ["Deny"]},
        }));
    }
    all
}

fn metadata(name: &str) -> Value {
    json!({"name": name, "labels": {"app.kubernetes.io/name": "reeve", "app.kubernetes.io/component": "admission"}})
}

fn rule(group: &str, operations: &[&str], resources: &[&str]) -> Value {
    let version = if group == names::GROUP {
        names::VERSION
    } else {
        "v1"
    };
    json!({"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": resources})
}

fn in_projects() -> Value {
    json!({"matchExpressions": [{"key": names::PROJECT, "operator": "Exists"}]})
}

fn named(variables: Vec<Variable>) -> Value {
    variables
        .into_iter()
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect()
}

fn mutating() -> Value {
    let write = &["CREATE", "UPDATE"];
    let conditions: Vec<Value> = mutate::match_conditions()
        .into_iter()
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect();
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(DEFAULTS),
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": in_projects(),
                "resourceRules": [
                    rule("", &["CREATE"], &["pods"]),
                    rule("", &["UPDATE"], &["pods/ephemeralcontainers"]),
                    rule("", write, &["replicationcontrollers"]),
                    rule("batch", write, &["jobs", "cronjobs"]),
                    rule("apps", write, &["deployments", "statefulsets", "replicasets", "daemonsets"]),
                ],
            },
            "matchConditions": conditions,
            "variables": named(mutate::variables()),
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": mutate::expression()}}],
        },
    })
}

fn mutating_binding() -> Value {
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": metadata(DEFAULTS),
        "spec": {"policyName": DEFAULTS},
    })
}

fn validating(policy: Policy, fault: Option<&str>) -> Value {
    let (selector, rules, conditions, variables) = parts(policy);
    let validations: Vec<Value> = checks()
        .filter(|c| c.policy == policy)
        .map(|c| validation(c, fault == Some(c.id)))
        .collect();
    let mut constraints = json!({"resourceRules": rules});
    if let (Some(selector), Some(map)) = (selector, constraints.as_object_mut()) {
        map.insert("namespaceSelector".to_owned(), selector);
    }
    let mut spec = json!({
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": named(variables),
        "validations": validations,
    });
    if let (false, Some(map)) = (conditions.is_empty(), spec.as_object_mut()) {
        map.insert("matchConditions".to_owned(), named(conditions));
    }
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(policy.name()),
        "spec": spec,
    })
}

fn validation(check: &Check, faulty: bool) -> Value {
    let cel = if faulty { "true" } else { check.cel };
    let mut value = json!({"expression": cel, "message": check.message(), "reason": "Forbidden"});
    if let (Some(expression), Some(map)) = (check.message_expression(), value.as_object_mut()) {
        map.insert("messageExpression".to_owned(), Value::String(expression));
    }
    value
}

type Parts = (Option<Value>, Vec<Value>, Vec<Variable>, Vec<Variable>);

/// Selector, resource rules, match conditions and variables of a validating policy.
fn parts(policy: Policy) -> Parts {
    let write: &[&str] = &["CREATE", "UPDATE"];
    match policy {
        Policy::Pods => {
            let core = [
                "pods",
                "pods/ephemeralcontainers",
                "pods/resize",
                "pods/status",
                "replicationcontrollers",
                "replicationcontrollers/status",
            ];
            let batch = ["jobs", "jobs/status", "cronjobs", "cronjobs/status"];
            let apps = [
                "deployments",
                "deployments/status",
                "statefulsets",
                "statefulsets/status",
                "replicasets",
                "replicasets/status",
                "daemonsets",
                "daemonsets/status",
            ];
            let rules = vec![
                rule("", write, &core),
                rule("batch", write, &batch),
                rule("apps", write, &apps),
            ];
            (Some(in_projects()), rules, Vec::new(), pod_variables())
        }
        Policy::Bindings => (
            Some(in_projects()),
            vec![rule("", write, &["bindings", "pods/binding"])],
            Vec::new(),
            Vec::new(),
        ),
        Policy::ControllerRevisions => (
            Some(in_projects()),
            vec![rule("apps", write, &["controllerrevisions"])],
            Vec::new(),
            requester_variables(),
        ),
        Policy::Namespaces => {
            let rules = vec![rule(
                "",
                write,
                &["namespaces", "namespaces/status", "namespaces/finalize"],
            )];
            let has = |o: &str| {
                format!(
                    "has({o}.metadata.labels) && '{}' in {o}.metadata.labels",
                    names::PROJECT
                )
            };
            let concerns = format!(
                "({}) || (oldObject != null && {})",
                has("object"),
                has("oldObject")
            );
            (None, rules, vec![("a-project", concerns)], namespace_variables())
        }
        Policy::OperatorBindings => {
            let rules = vec![rule("rbac.authorization.k8s.io", write, &["rolebindings"])];
            let operator = format!(
                "request.userInfo.?username.orValue('') == '{}'",
                names::OPERATOR_USER
            );
            (None, rules, vec![("the-operator", operator)], Vec::new())
        }
        Policy::Resources => {
            let rules = vec![
                rule(names::GROUP, write, &["workloads", "workloads/status"]),
                rule(
                    names::GROUP,
                    &["CREATE", "UPDATE", "DELETE"],
                    &["reeveconfigs", "reeveconfigs/status"],
                ),
            ];
            let ours = |o: &str| {
                format!(
                    "dyn({o}).?metadata.?annotations.orValue(dyn({{}})).transformList(k, v, k.startsWith('{}'), k + '=' + v)",
                    names::PREFIX
                )
            };
            let mut variables = requester_variables();
            variables.push(installer());
            variables.push(("annotations", format!("{}.sort()", ours("object"))));
            variables.push(("oldAnnotations", format!("{}.sort()", ours("oldObject"))));
            (None, rules, Vec::new(), variables)
        }
        Policy::SecretsAndServices => (
            Some(in_projects()),
            vec![rule("", write, &["secrets", "services"])],
            Vec::new(),
            secret_and_service_variables(),
        ),
    }
}

fn secret_and_service_variables() -> Vec<Variable> {
    let account = |o: &str| {
        format!(
            "{o}.metadata.?annotations['{}'].orValue('')",
            names::TOKEN_SECRET_ACCOUNT
        )
    };
    let addresses = |o: &str| format!("dyn({o}).?spec.?externalIPs.orValue(dyn([]))");
    vec![
        installer(),
        ("update", "request.operation == 'UPDATE'".to_owned()),
        ("account", account("object")),
        (
            "oldAccount",
            format!("variables.update ? {} : ''", account("oldObject")),
        ),
        ("externalIPs", addresses("object")),
        (
            "oldExternalIPs",
            format!("variables.update ? {} : dyn([])", addresses("oldObject")),
        ),
    ]
}

fn installer() -> Variable {
    (
        "installer",
        format!("'{}' in request.userInfo.?groups.orValue([])", names::INSTALLERS),
    )
}

fn namespace_variables() -> Vec<Variable> {
    let labels = |o: &str| format!("{o}.metadata.?labels.orValue({{}})");
    let mut variables = requester_variables();
    variables.push(installer());
    variables.push(("update", "request.operation == 'UPDATE'".to_owned()));
    variables.push(("labels", labels("object")));
    variables.push((
        "oldLabels",
        format!("variables.update ? {} : {{}}", labels("oldObject")),
    ));
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_policies_are_the_reviewed_ones() {
        insta::assert_snapshot!(policies_yaml());
    }

    #[test]
    fn nothing_in_the_text_could_be_taken_for_a_chart_template() {
        assert!(!policies_yaml().contains("{{"));
    }

    #[test]
    fn every_policy_fails_closed_without_parameters() {
        for value in policies() {
            let spec = &value["spec"];
            assert!(spec.get("paramKind").is_none() && spec.get("paramRef").is_none());
            if value["kind"].as_str().unwrap().ends_with("Policy") {
                assert_eq!(spec["failurePolicy"], "Fail", "{}", value["metadata"]["name"]);
            }
        }
    }

    #[test]
    fn at_most_three_policies_lie_on_the_road_of_pods() {
        let on_the_road = |v: &&Value| {
            let rules = v
                .pointer("/spec/matchConstraints/resourceRules")
                .and_then(Value::as_array);
            rules
                .into_iter()
                .flatten()
                .any(|r| r["resources"].as_array().unwrap().iter().any(|x| x == "pods"))
        };
        assert!(policies().iter().filter(on_the_road).count() <= 3);
    }

    #[test]
    fn a_fault_changes_exactly_one_expression() {
        let sound = policies_yaml();
        for check in checks() {
            let faulty = yaml(&policies_with_fault(check.id));
            assert_ne!(sound, faulty, "{}", check.id);
        }
        assert_eq!(policies_with_fault("no-such-check"), policies());
    }

    #[test]
    fn every_policy_has_a_name_to_watch_for() {
        assert_eq!(expected_names().len(), 8);
    }
}
