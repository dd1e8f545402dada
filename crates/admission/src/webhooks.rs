//! The same rules as webhooks, for API servers that have no `MutatingAdmissionPolicy` (before 1.36, or with it off).
//!
//! Selectors, resources and match conditions are those of the policies, so that what no policy looks at no webhook is asked
//! about. What a policy evaluates as CEL, the program behind the webhooks (`reeve-webhook`) judges by the predicates
//! ([`crate::failing`]) and fills in by [`crate::fill`]. Either the policies are installed or the webhooks, never both.
//!
//! Everything fails closed. Without the program nobody starts anything in a project; what runs goes on, and what lies outside
//! of projects is not asked about, unless it bears a mark of ours.

use serde_json::{Value, json};

use crate::check::Policy;
use crate::names;
use crate::policies::{
    API, DEFAULTS, KIND_DEFAULTS, defaults_conditions, defaults_constraints, kind_defaults_constraints,
    metadata, named, parts,
};

/// Where the program judges.
pub const VALIDATE_PATH: &str = "/validate";
/// Where the program fills in.
pub const MUTATE_PATH: &str = "/mutate";
/// The program's Service and ServiceAccount, in [`names::SYSTEM_NAMESPACE`].
pub const NAME: &str = "reeve-webhook";

/// How long the API server waits for an answer, in seconds; then it refuses.
const TIMEOUT_SECONDS: u8 = 10;

/// How the API server reaches the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// By its Service, in [`names::SYSTEM_NAMESPACE`].
    Service,
    /// At an address, `https://host:port`: a program that runs beside the API server.
    Url(String),
}

/// The webhook configurations: what fills in, and what judges.
///
/// `ca_bundle` is the certificate authority of the program's certificate, base64 of PEM.
pub fn webhooks(reach: &Reach, ca_bundle: &str) -> Vec<Value> {
    let client = |path: &str| match reach {
        Reach::Service => {
            json!({"service": {"name": NAME, "namespace": names::SYSTEM_NAMESPACE, "path": path, "port": 443}, "caBundle": ca_bundle})
        }
        Reach::Url(base) => json!({"url": format!("{base}{path}"), "caBundle": ca_bundle}),
    };
    vec![
        configuration("MutatingWebhookConfiguration", mutating(&client(MUTATE_PATH))),
        configuration(
            "ValidatingWebhookConfiguration",
            validating(&client(VALIDATE_PATH)),
        ),
    ]
}

/// What the program may do in the cluster: read the settings of a namespace, and whose a pod is. Nothing else, and no list of
/// anything.
pub fn rights() -> Vec<Value> {
    let rbac = "rbac.authorization.k8s.io";
    let get = |group: &str, resource: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": ["get"]});
    let mut account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(NAME)});
    if let Some(Value::Object(metadata)) = account.get_mut("metadata") {
        metadata.insert("namespace".to_owned(), json!(names::SYSTEM_NAMESPACE));
    }
    vec![
        account,
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": metadata(NAME), "rules": [
            get("", "namespaces"), get("", "pods"), get(names::GROUP, "podidentities"),
        ]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": metadata(NAME),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": names::SYSTEM_NAMESPACE}]}),
    ]
}

/// What the operator may read of the webhooks, for its alarm (R1): rendered with them.
fn alarm_rights() -> Vec<Value> {
    let rbac = "rbac.authorization.k8s.io";
    let name = "reeve-operator-webhooks";
    vec![
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": metadata(name), "rules": [{
            "apiGroups": ["admissionregistration.k8s.io"], "verbs": ["list", "watch"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": metadata(name),
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": names::OPERATOR_SERVICE_ACCOUNT, "namespace": names::SYSTEM_NAMESPACE}]}),
    ]
}

/// What stands in the chart for the certificate authority: a line of Helm, which renders no field where somebody else is to write it. An
/// empty one would be written over theirs at each upgrade.
pub const CHART_CA: &str = "    {{- include \"reeve.webhookBundle\" . | nindent 4 }}\n";
/// What that line is put in place of.
const CA: &str = "AUTHORITY-OF-THE-CHART";

/// What stands in the chart for the annotations of the configurations: a line of Helm, which renders none unless somebody else is to
/// write the authority.
pub const CHART_ANNOTATIONS: &str = "  {{- include \"reeve.webhookAnnotations\" . | nindent 2 }}\n";
/// What that line is put in place of.
const ANNOTATIONS: &str = "ANNOTATIONS-OF-THE-CHART";

/// Rights and webhooks as a Helm template, which renders nothing where the policies are installed.
pub fn chart_yaml() -> String {
    let mut documents = rights();
    documents.extend(alarm_rights());
    for mut configuration in webhooks(&Reach::Service, CA) {
        if let Some(Value::Object(metadata)) = configuration.get_mut("metadata") {
            metadata.insert("annotations".to_owned(), json!(ANNOTATIONS));
        }
        documents.push(configuration);
    }
    let text = crate::policies::yaml(&documents);
    let text = text.replace(&format!("  annotations: {ANNOTATIONS}\n"), CHART_ANNOTATIONS);
    let text = text.replace(&format!("    caBundle: {CA}\n"), CHART_CA);
    format!("{{{{- if eq (include \"reeve.admission\" .) \"webhook\" }}}}\n{text}{{{{- end }}}}\n")
}

fn configuration(kind: &str, webhooks: Vec<Value>) -> Value {
    json!({"apiVersion": API, "kind": kind, "metadata": metadata("reeve"), "webhooks": webhooks})
}

fn webhook(name: &str, client: &Value, selector: Option<Value>, rules: &[Value], conditions: Value) -> Value {
    json!({
        "name": format!("{name}.{}", names::GROUP),
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "namespaceSelector": selector.unwrap_or_else(|| json!({})),
        "objectSelector": {},
        "rules": rules.iter().map(with_scope).collect::<Vec<_>>(),
        "matchConditions": conditions,
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
    })
}

/// Written out, so that what is read back is what was written.
fn with_scope(rule: &Value) -> Value {
    let mut rule = rule.clone();
    if let Value::Object(fields) = &mut rule {
        fields.insert("scope".to_owned(), json!("*"));
    }
    rule
}

fn mutating(client: &Value) -> Vec<Value> {
    let one = |defaults| {
        let (selector, rules) = defaults_constraints(defaults);
        let mut webhook = webhook(
            defaults.name,
            client,
            Some(selector),
            &rules,
            json!(defaults_conditions()),
        );
        if let Value::Object(fields) = &mut webhook {
            fields.insert("reinvocationPolicy".to_owned(), json!(defaults.reinvocation));
        }
        webhook
    };
    let (selector, rules, conditions) = kind_defaults_constraints();
    let mut kinds = webhook(KIND_DEFAULTS, client, Some(selector), &rules, conditions);
    if let Value::Object(fields) = &mut kinds {
        fields.insert("reinvocationPolicy".to_owned(), json!("Never"));
    }
    DEFAULTS.iter().map(one).chain([kinds]).collect()
}

/// One webhook a policy. The two policies of connections are one here, since the program reads list and pod itself, and so are
/// the two of pods: it sees the namespace, and is asked of plain pods too.
fn validating(client: &Value) -> Vec<Value> {
    let one = |policy: Policy| {
        let (selector, rules, conditions, _) = parts(policy);
        let conditions = if policy == Policy::Pods {
            Vec::new()
        } else {
            conditions
        };
        webhook(policy.name(), client, selector, &rules, named(conditions))
    };
    let all = Policy::ALL.into_iter();
    all.filter(|policy| ![Policy::ConnectPods, Policy::NamespaceBounds].contains(policy))
        .map(one)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies;

    /// What decides whether anything is asked at all: namespaces, resources, conditions.
    fn constraints(value: &Value) -> Vec<Value> {
        let rules = value
            .get("rules")
            .or_else(|| value.pointer("/matchConstraints/resourceRules"));
        let mut rules = rules.cloned().unwrap_or_default();
        for rule in rules.as_array_mut().into_iter().flatten() {
            rule.as_object_mut().unwrap().remove("scope");
        }
        let selector = value
            .get("namespaceSelector")
            .or_else(|| value.pointer("/matchConstraints/namespaceSelector"));
        let given = selector.cloned().filter(|selector| *selector != json!({}));
        let conditions = value.get("matchConditions").cloned().unwrap_or(json!([]));
        vec![rules, given.unwrap_or_default(), conditions]
    }

    #[test]
    fn webhooks_are_asked_exactly_where_policies_would_be() {
        let all = webhooks(&Reach::Service, "");
        let policies = policies();
        let mut compared = 0;
        for webhook in all.iter().flat_map(|all| all["webhooks"].as_array().unwrap()) {
            let name = webhook["name"]
                .as_str()
                .unwrap()
                .strip_suffix(".reeve.dev")
                .unwrap();
            let of_name =
                |p: &&Value| p["metadata"]["name"] == name && p["kind"].as_str().unwrap().ends_with("Policy");
            let policy = policies.iter().find(of_name).unwrap();
            let mut wanted = constraints(&policy["spec"]);
            if name == Policy::Pods.name() {
                // Of plain pods too: the one webhook stands for both policies of pods.
                wanted[2] = json!([]);
            }
            assert_eq!(constraints(webhook), wanted, "{name}");
            assert_eq!(webhook["failurePolicy"], "Fail", "{name}");
            assert_eq!(webhook["sideEffects"], "None", "{name}");
            compared += 1;
        }
        // Every policy but the second ones of connections and of pods, which ask in the same places as the first.
        assert_eq!(compared, Policy::ALL.len() - 2 + DEFAULTS.len() + 1);
        for pair in [
            [Policy::Connect, Policy::ConnectPods],
            [Policy::Pods, Policy::NamespaceBounds],
        ] {
            let [first, second] = pair.map(parts);
            assert_eq!(first.1, second.1);
            // The second may leave out namespaces, and asks in no others.
            let [first, second] = [first.0, second.0].map(|it| it.unwrap()["matchExpressions"].clone());
            let second = second.as_array().unwrap();
            assert!(first.as_array().unwrap().iter().all(|one| second.contains(one)));
        }
    }

    #[test]
    fn the_program_lists_nothing_and_writes_nothing() {
        let role = rights().into_iter().find(|r| r["kind"] == "ClusterRole").unwrap();
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(rule["verbs"], json!(["get"]), "{rule}");
            let resource = rule["resources"][0].as_str().unwrap();
            assert!(["namespaces", "pods", "podidentities"].contains(&resource));
        }
    }

    #[test]
    fn the_template_renders_nothing_by_itself_and_names_the_authority_once_for_each_webhook() {
        let text = chart_yaml();
        assert!(text.starts_with("{{- if eq (include \"reeve.admission\" .) \"webhook\" }}\n"));
        assert!(text.ends_with("{{- end }}\n"));
        assert_eq!(
            text.matches(CHART_CA).count(),
            Policy::ALL.len() - 2 + DEFAULTS.len() + 1
        );
        assert_eq!(text.matches(CHART_ANNOTATIONS).count(), 2);
        // Two lines of Helm beside those: nothing of CEL is taken for one.
        assert_eq!(text.matches("{{").count(), text.matches(CHART_CA).count() + 2 + 2);
    }
}
