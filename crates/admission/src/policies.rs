//! The policy objects: static text for the chart, the same on every cluster, with nothing to configure.
//!
//! Every policy fails closed. On the way of a pod lie three: one that fills in and two that refuse, because the price is
//! per policy. (That which fills in is there twice, for projects that enforce identity and for those that do not.) Settings reach them as labels and annotations of the namespace. Only the policies of connections take
//! parameters: those can refuse everybody for a while after an API server started (kubernetes #130887), which is
//! bearable for `exec` and not for pods.

mod resources;

use serde_json::{Value, json};

use crate::adopting;
use crate::check::{Check, Policy, checks, cluster_config, connect, copies, outside, workload_policy};
use crate::entries;
use crate::mutate::{self, Gap};
use crate::names;
use crate::plain;
use crate::policies::resources::{connect_rule, kind_rules, rule, template_rules};
use crate::view::{self, Variable, pod_variables, requester_variables};

/// A mutating policy and its binding. There are two of the same text, of which each project meets one.
pub(crate) struct Defaults {
    pub(crate) name: &'static str,
    /// How the namespace's setting `enforceRunAsUser` compares with `false`; absent is not `false`.
    operator: &'static str,
    pub(crate) reinvocation: &'static str,
}

/// Where identity is enforced ours is asked again after others changed the object: it fills in what they added, and its
/// own stamp says nothing that it would not fill in anyway. Elsewhere it is asked once: a stamp is there the person's wish
/// to run as herself, and asked again ours would take its own for one.
pub(crate) const DEFAULTS: [Defaults; 2] = [
    Defaults {
        name: "reeve-defaults",
        operator: "NotIn",
        reinvocation: "IfNeeded",
    },
    Defaults {
        name: "reeve-defaults-unenforced",
        operator: "In",
        reinvocation: "Never",
    },
];
/// The policy that fills in templates of kinds of others.
pub(crate) const KIND_DEFAULTS: &str = "reeve-template-kind-defaults";
/// The policy of what a container gets for its GPUs.
const LIMITS: &str = "reeve-limits";
pub(crate) const API: &str = "admissionregistration.k8s.io/v1";

/// Every policy and binding, in the order of the chart.
pub fn policies() -> Vec<Value> {
    render(None, None)
}

/// The policies as a multi-document YAML text, ready for the chart.
pub fn policies_yaml() -> String {
    yaml(&policies())
}

/// The variables by which many checks are passed over at once.
pub const SHORTCUTS: [&str; 4] = ["fresh", "worn", "ordinary", "unmarked"];

/// The variable that says which fields a second writer is trusted with. Its planted fault: who is trusted with one is trusted with
/// all of them.
pub const GRANTED_FIELDS: &str = "fields";

/// The planted faults of what tells a plain pod, each with the checks of which it lets a refused pod pass (`plain.rs`).
pub fn plain_faults() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    plain::PARTS.iter().map(|part| (part.name, part.stands_for))
}

/// The policies with the CEL of one check, of one of [`SHORTCUTS`] or of [`plain_faults`], replaced by `true`, or with the fault of
/// [`GRANTED_FIELDS`]: a planted fault that the case table must notice.
#[cfg(any(test, feature = "testing"))]
pub fn policies_with_fault(check_id: &str) -> Vec<Value> {
    render(Some(check_id), None)
}

/// The policies with one of [`mutate::FILLED`] filled in nowhere: a planted fault that the test of what is filled in must notice.
pub fn policies_with_gap(part: &str) -> Vec<Value> {
    render(None, Some(part))
}

pub(crate) fn yaml(documents: &[Value]) -> String {
    let head = "# Generated from crates/admission by `cargo xtask gen`. Do not edit: a changed policy is an alarm.\n";
    documents.iter().fold(head.to_owned(), |all, document| {
        all + "---\n" + &crate::yaml_text(document)
    })
}

fn render(fault: Option<&str>, gap: Option<&str>) -> Vec<Value> {
    let mut all: Vec<Value> = DEFAULTS
        .iter()
        .flat_map(|defaults| [mutating(defaults, Gap(gap)), mutating_binding(defaults.name)])
        .collect();
    all.extend([limits(), mutating_binding(LIMITS)]);
    all.extend([adopting(), mutating_binding(adopting::NAME)]);
    all.extend([kind_defaults(), mutating_binding(KIND_DEFAULTS)]);
    for policy in Policy::ALL {
        all.push(validating(policy, fault));
        all.push(validating_binding(policy));
    }
    all
}

fn validating_binding(policy: Policy) -> Value {
    let mut spec = json!({"policyName": policy.name(), "validationActions": ["Deny"]});
    let reference = match policy {
        Policy::Connect => Some(json!({"name": names::POD_IDENTITIES, "parameterNotFoundAction": "Deny"})),
        Policy::ConnectPods => {
            let absent = |key: &&str| json!({"key": key, "operator": "DoesNotExist"});
            let chosen: Vec<Value> = connect::CHOSEN_NAMES.iter().map(absent).collect();
            Some(json!({"selector": {"matchExpressions": chosen}, "parameterNotFoundAction": "Allow"}))
        }
        _ => None,
    };
    if let (Some(reference), Some(map)) = (reference, spec.as_object_mut()) {
        map.insert("paramRef".to_owned(), reference);
    }
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata(policy.name()),
        "spec": spec,
    })
}

/// The kind of a policy's parameters.
fn parameter_kind(policy: Policy) -> Option<Value> {
    match policy {
        Policy::Connect => {
            let version = format!("{}/{}", names::GROUP, names::VERSION);
            Some(json!({"apiVersion": version, "kind": "PodIdentities"}))
        }
        Policy::ConnectPods => Some(json!({"apiVersion": "v1", "kind": "Pod"})),
        _ => None,
    }
}

pub(crate) fn metadata(name: &str) -> Value {
    json!({"name": name, "labels": {"app.kubernetes.io/name": "reeve", "app.kubernetes.io/component": "admission"}})
}

fn in_projects() -> Value {
    json!({"matchExpressions": [{"key": names::PROJECT, "operator": "Exists"}]})
}

fn outside_projects() -> Value {
    json!({"matchExpressions": [{"key": names::PROJECT, "operator": "DoesNotExist"}]})
}

pub(crate) fn named(variables: Vec<Variable>) -> Value {
    variables
        .into_iter()
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect()
}

/// Where a policy that fills in is asked: in which namespaces, and of what.
pub(crate) fn defaults_constraints(defaults: &Defaults) -> (Value, Vec<Value>) {
    let mut namespaces = in_projects();
    if let Some(Value::Array(all)) = namespaces.get_mut("matchExpressions") {
        all.push(
            json!({"key": names::ENFORCE_RUN_AS_USER, "operator": defaults.operator, "values": [names::OFF]}),
        );
    }
    let write = &["CREATE", "UPDATE"];
    let rules = vec![
        rule("", &["CREATE"], &["pods"]),
        rule("", &["UPDATE"], &["pods/ephemeralcontainers"]),
        rule("", write, &["replicationcontrollers"]),
        rule("batch", write, &["jobs", "cronjobs"]),
        rule(
            "apps",
            write,
            &["deployments", "statefulsets", "replicasets", "daemonsets"],
        ),
    ];
    (namespaces, rules)
}

/// The match conditions of the policies that fill in.
pub(crate) fn defaults_conditions() -> Vec<Value> {
    mutate::match_conditions()
        .into_iter()
        .map(|(name, expression)| json!({"name": name, "expression": expression}))
        .collect()
}

fn mutating(defaults: &Defaults, gap: Gap<'_>) -> Value {
    let (namespaces, rules) = defaults_constraints(defaults);
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(defaults.name),
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": defaults.reinvocation,
            "matchConstraints": {"namespaceSelector": namespaces, "resourceRules": rules},
            "matchConditions": defaults_conditions(),
            "variables": named(mutate::variables(gap)),
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": mutate::expression(gap)}}],
        },
    })
}

/// What a container gets for its GPUs, where the namespace says how much.
fn limits() -> Value {
    let write = &["CREATE", "UPDATE"];
    let mut namespaces = in_projects();
    if let Some(Value::Array(all)) = namespaces.get_mut("matchExpressions") {
        all.push(json!({"key": names::SCALE_BY_GPU, "operator": "In", "values": [names::ON]}));
    }
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(LIMITS),
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {
                "namespaceSelector": namespaces,
                "resourceRules": [
                    rule("", &["CREATE"], &["pods"]),
                    rule("", write, &["replicationcontrollers"]),
                    rule("batch", write, &["jobs", "cronjobs"]),
                    rule("apps", write, &["deployments", "statefulsets", "replicasets", "daemonsets"]),
                ],
            },
            "matchConditions": named(mutate::limits::match_conditions()),
            "variables": named(mutate::limits::variables()),
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": mutate::limits::expression()}}],
        },
    })
}

fn adopting() -> Value {
    let conditions = adopting::match_conditions();
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(adopting::NAME),
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [rule("", &["CREATE", "UPDATE"], &["namespaces"])]},
            "matchConditions": named(conditions.into()),
            "mutations": [adopting::mutation()],
        },
    })
}

fn mutating_binding(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": metadata(name),
        "spec": {"policyName": name},
    })
}

/// The checks of a policy, in order.
fn of(policy: Policy) -> impl Iterator<Item = &'static Check> {
    checks().filter(move |check| check.policy == policy)
}

fn validating(policy: Policy, fault: Option<&str>) -> Value {
    let (selector, rules, mut conditions, variables) = parts(policy);
    for (_, cel) in conditions
        .iter_mut()
        .filter(|(name, _)| *name == plain::CONDITION)
    {
        *cel = plain::condition(fault);
    }
    let validations: Vec<Value> = of(policy).map(|c| validation(c, fault == Some(c.id))).collect();
    let mut constraints = json!({"resourceRules": rules});
    if let (Some(selector), Some(map)) = (selector, constraints.as_object_mut()) {
        map.insert("namespaceSelector".to_owned(), selector);
    }
    if let (Policy::ClusterConfig, Some(map)) = (policy, constraints.as_object_mut()) {
        let labelled = json!({"matchLabels": {names::CLUSTER_CONFIG: names::ON}});
        map.insert("objectSelector".to_owned(), labelled);
    }
    let mut spec = json!({
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": named(faulty_variables(variables, fault)),
        "validations": validations,
    });
    if let (false, Some(map)) = (conditions.is_empty(), spec.as_object_mut()) {
        map.insert("matchConditions".to_owned(), named(conditions));
    }
    if let (Some(kind), Some(map)) = (parameter_kind(policy), spec.as_object_mut()) {
        map.insert("paramKind".to_owned(), kind);
    }
    json!({
        "apiVersion": API,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata(policy.name()),
        "spec": spec,
    })
}

/// The variables, with the one that is the fault replaced: a shortcut is taken by every request.
fn faulty_variables(mut variables: Vec<Variable>, fault: Option<&str>) -> Vec<Variable> {
    let wrong = match fault {
        Some(name) if SHORTCUTS.contains(&name) => "true".to_owned(),
        Some(GRANTED_FIELDS) => view::all_fields_cel(),
        _ => return variables,
    };
    for (_, cel) in variables.iter_mut().filter(|(name, _)| fault == Some(*name)) {
        cel.clone_from(&wrong);
    }
    variables
}

fn validation(check: &Check, faulty: bool) -> Value {
    let cel = if faulty {
        "true".to_owned()
    } else {
        check.expression()
    };
    let mut value = json!({"expression": cel, "message": check.message(), "reason": "Forbidden"});
    if let (Some(expression), Some(map)) = (check.message_expression(), value.as_object_mut()) {
        map.insert("messageExpression".to_owned(), Value::String(expression));
    }
    value
}

pub(crate) type Parts = (Option<Value>, Vec<Value>, Vec<Variable>, Vec<Variable>);

/// Selector, resource rules, match conditions and variables of a validating policy.
pub(crate) fn parts(policy: Policy) -> Parts {
    let write: &[&str] = &["CREATE", "UPDATE"];
    match policy {
        Policy::Pods => {
            let conditions = vec![(plain::CONDITION, plain::condition(None))];
            (Some(in_projects()), template_rules(), conditions, pod_variables())
        }
        Policy::NamespaceBounds => {
            let sentences: Vec<String> = of(policy).filter_map(Check::message_expression).collect();
            let read = of(policy)
                .map(|check| check.cel)
                .chain(sentences.iter().map(String::as_str));
            let variables = view::read_by(pod_variables(), read);
            let mut namespaces = in_projects();
            if let Some(Value::Array(all)) = namespaces.get_mut("matchExpressions") {
                all.push(json!({"key": names::BOUNDS_PODS, "operator": "NotIn", "values": [names::OFF]}));
            }
            (Some(namespaces), template_rules(), Vec::new(), variables)
        }
        Policy::Bindings => (
            Some(in_projects()),
            vec![rule("", write, &["bindings", "pods/binding"])],
            bounded(),
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
            let marked = |o: &str| {
                let any = |map| {
                    format!(
                        "{o}.metadata.?{map}.orValue({{}}).exists(k, k.startsWith('{}'))",
                        names::PREFIX
                    )
                };
                format!("{} || {}", any("labels"), any("annotations"))
            };
            let concerns = format!(
                "{} || (oldObject != null && ({}))",
                marked("object"),
                marked("oldObject")
            );
            (None, rules, vec![("marked", concerns)], namespace_variables())
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
                rule(
                    names::GROUP,
                    write,
                    &["podidentities", "workloads", "workloads/status"],
                ),
                rule(
                    names::GROUP,
                    &["CREATE", "UPDATE", "DELETE"],
                    &["reeveconfigs", "reeveconfigs/status"],
                ),
            ];
            let mut variables = requester_variables();
            variables.push(installer());
            variables.push(("annotations", our_annotations("object")));
            variables.push(("oldAnnotations", our_annotations("oldObject")));
            (None, rules, Vec::new(), variables)
        }
        Policy::Claims => {
            let mut variables = requester_variables();
            variables.push(installer());
            // Owners can be written by way of the status, too.
            let claims = rule(
                "",
                write,
                &["persistentvolumeclaims", "persistentvolumeclaims/status"],
            );
            (Some(in_projects()), vec![claims], bounded(), variables)
        }
        Policy::Outside => {
            let mut variables = requester_variables();
            variables.extend(outside::variables());
            let mut rules = template_rules();
            rules.push(rule("", &["CREATE"], &["bindings", "pods/binding"]));
            rules.push(rule("apps", write, &["controllerrevisions"]));
            (
                Some(outside_projects()),
                rules,
                vec![("marked", outside::concerned_cel())],
                variables,
            )
        }
        Policy::Connect => {
            let mut variables = requester_variables();
            variables.push(("runsAs", "params.?spec.?runsAs.orValue({})".to_owned()));
            variables.push((
                "known",
                "variables.runsAs.exists(s, request.name in variables.runsAs[s])".to_owned(),
            ));
            (Some(in_projects()), vec![connect_rule()], Vec::new(), variables)
        }
        Policy::ConnectPods => (
            Some(in_projects()),
            vec![connect_rule()],
            Vec::new(),
            requester_variables(),
        ),
        Policy::Proxies => {
            // The selector of namespaces leaves nodes, which lie in none, in.
            let proxies = ["nodes/proxy", "pods/proxy", "services/proxy"];
            (
                Some(in_projects()),
                vec![rule("", &["CONNECT"], &proxies)],
                Vec::new(),
                Vec::new(),
            )
        }
        Policy::Networking => (
            Some(in_projects()),
            vec![
                rule(
                    "networking.k8s.io",
                    &["CREATE", "UPDATE", "DELETE"],
                    &["ingresses", "ingresses/status", "networkpolicies"],
                ),
                rule(
                    names::OPENSHIFT_ROUTES,
                    &["CREATE", "UPDATE", "DELETE"],
                    &["routes", "routes/custom-host", "routes/status"],
                ),
            ],
            Vec::new(),
            Vec::new(),
        ),
        Policy::ClusterConfig => (
            Some(json!({"matchExpressions": [{
                "key": cluster_config::NAMESPACE_NAME,
                "operator": "In",
                "values": [names::REFERENCE_NAMESPACE, names::SYSTEM_NAMESPACE],
            }]})),
            vec![rule("", &["CREATE", "UPDATE", "DELETE"], &["configmaps"])],
            Vec::new(),
            Vec::new(),
        ),
        Policy::WorkloadPolicies => {
            let mut namespaces = in_projects();
            if let Some(Value::Array(all)) = namespaces.get_mut("matchExpressions") {
                all.push(json!({"key": names::WORKLOAD_POLICIES, "operator": "In", "values": [names::ON]}));
            }
            let mut variables = pod_variables();
            variables.extend(workload_policy::variables());
            (Some(namespaces), template_rules(), bounded(), variables)
        }
        Policy::TemplateKinds => (
            Some(in_projects()),
            kind_rules(write, true),
            vec![(entries::CONDITION, entries::bounded_kind_cel())],
            kind_variables(),
        ),
        Policy::TemplateKindsOutside => (
            Some(outside_projects()),
            kind_rules(write, false),
            vec![(
                "marked",
                format!(
                    "{} && ({})",
                    entries::bounded_kind_cel(),
                    crate::kinds::marked_cel()
                ),
            )],
            Vec::new(),
        ),
        Policy::SecretsAndServices => (
            Some(in_projects()),
            vec![rule("", write, &["secrets", "services"])],
            vec![(
                entries::CONDITION,
                format!("object.kind == 'Secret' || {}", entries::bounded_cel()),
            )],
            secret_and_service_variables(),
        ),
        Policy::Entries => {
            let kept = [
                "bindings",
                "persistentvolumeclaims",
                "persistentvolumeclaims/status",
                "pods/binding",
                "services",
            ];
            let mut rules = vec![rule("", write, &kept)];
            rules.extend(kind_rules(write, true));
            let crowded = (entries::VARIABLE, entries::any_crowded_cel());
            (None, rules, Vec::new(), vec![crowded])
        }
        Policy::SecretCopies => {
            // In every namespace: a mark that is planted before a namespace is a project is none.
            let all = rule("", &["CREATE", "UPDATE", "DELETE"], &["secrets"]);
            (None, vec![all], copies::match_conditions(), copy_variables())
        }
        Policy::SecretSources => {
            let sources = json!({"matchExpressions": [{"key": names::SECRET_SOURCE, "operator": "Exists"}]});
            let labels = ("labels", "object.metadata.?labels.orValue({})".to_owned());
            (
                Some(sources),
                vec![rule("", write, &["secrets"])],
                Vec::new(),
                vec![labels],
            )
        }
    }
}

/// The match condition of a policy that goes through what an object has.
fn bounded() -> Vec<Variable> {
    vec![(entries::CONDITION, entries::bounded_cel())]
}

/// The variables of the policy of these kinds.
fn kind_variables() -> Vec<Variable> {
    let mut variables = requester_variables();
    variables.push(("update", "request.operation == 'UPDATE'".to_owned()));
    variables.extend(view::kind_variables());
    variables
}

/// What fills in templates of kinds of others.
fn kind_defaults() -> Value {
    json!({
        "apiVersion": API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata(KIND_DEFAULTS),
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"namespaceSelector": in_projects(), "resourceRules": kind_defaults_rules()},
            "matchConditions": named(mutate::kinds::match_conditions()),
            "variables": named(mutate::kinds::variables()),
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": mutate::kinds::expression()}}],
        },
    })
}

/// Where templates of kinds of others are filled in.
pub(crate) fn kind_defaults_constraints() -> (Value, Vec<Value>, Value) {
    let conditions = named(mutate::kinds::match_conditions());
    (in_projects(), kind_defaults_rules(), conditions)
}

fn kind_defaults_rules() -> Vec<Value> {
    kind_rules(&["CREATE", "UPDATE"], false)
}

fn copy_variables() -> Vec<Variable> {
    let mut variables = requester_variables();
    variables.push(installer());
    variables.push(("isCopy", copies::is_copy_cel("object")));
    variables.push(("wasCopy", copies::is_copy_cel("oldObject")));
    variables
}

/// Our annotations of an object as CEL: a sorted list of `key=value`.
fn our_annotations(object: &str) -> String {
    format!(
        "dyn({object}).?metadata.?annotations.orValue(dyn({{}})).transformList(k, v, k.startsWith('{}'), k + '=' + \
         v).sort()",
        names::PREFIX
    )
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
    variables.push(("annotations", our_annotations("object")));
    variables.push((
        "oldAnnotations",
        format!("variables.update ? {} : []", our_annotations("oldObject")),
    ));
    variables.push((
        "oldLabels",
        format!("variables.update ? {} : {{}}", labels("oldObject")),
    ));
    variables.push((
        "project",
        format!(
            "'{0}' in variables.labels || '{0}' in variables.oldLabels",
            names::PROJECT
        ),
    ));
    variables
}

#[cfg(test)]
mod tests;
