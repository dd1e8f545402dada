//! What the generated policies are.

use reeve_types::TemplateKind;

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
fn every_policy_fails_closed_and_only_those_of_connections_take_parameters() {
    for value in policies() {
        let (spec, name) = (&value["spec"], value["metadata"]["name"].as_str().unwrap());
        let with_parameters = spec.get("paramKind").is_some() || spec.get("paramRef").is_some();
        assert_eq!(with_parameters, name.starts_with("reeve-connect"), "{name}");
        if value["kind"].as_str().unwrap().ends_with("Policy") {
            assert_eq!(spec["failurePolicy"], "Fail", "{name}");
        }
    }
}

#[test]
fn who_is_on_no_list_is_let_in_nowhere() {
    let binding = validating_binding(Policy::Connect);
    assert_eq!(binding["spec"]["paramRef"]["parameterNotFoundAction"], "Deny");
}

/// Whether a selector of namespaces by expressions takes one with these labels.
fn takes(selector: &Value, labels: &[(&str, &str)]) -> bool {
    let all = selector["matchExpressions"].as_array().into_iter().flatten();
    all.into_iter().all(|expression| {
        let own = labels.iter().find(|(key, _)| *key == expression["key"]);
        let listed = |value: &str| expression["values"].as_array().unwrap().contains(&json!(value));
        match expression["operator"].as_str().unwrap() {
            "Exists" => own.is_some(),
            "DoesNotExist" => own.is_none(),
            "In" => own.is_some_and(|(_, value)| listed(value)),
            _ => own.is_none_or(|(_, value)| !listed(value)),
        }
    })
}

#[test]
fn one_policy_fills_in_and_two_judge_each_pod_of_a_project() {
    let on_the_road = |v: &&Value| {
        let rules = v
            .pointer("/spec/matchConstraints/resourceRules")
            .and_then(Value::as_array);
        rules
            .into_iter()
            .flatten()
            .any(|r| r["resources"].as_array().unwrap().iter().any(|x| x == "pods"))
    };
    let all = policies();
    let met = |labels: &[(&str, &str)]| -> Vec<&str> {
        let selector = |v: &Value| v["spec"]["matchConstraints"]["namespaceSelector"].clone();
        let met = all
            .iter()
            .filter(on_the_road)
            .filter(|v| takes(&selector(v), labels));
        met.map(|v| v["metadata"]["name"].as_str().unwrap()).collect()
    };
    let project = (names::PROJECT, "robots");
    let judged = ["reeve-pods", "reeve-namespace-bounds"];
    let by = |mutating: &[&'static str]| [mutating, &judged].concat();
    let enforced = by(&["reeve-defaults"]);
    assert_eq!(met(&[project]), enforced);
    for value in ["true", "", "False", "no"] {
        assert_eq!(
            met(&[project, (names::ENFORCE_RUN_AS_USER, value)]),
            enforced,
            "{value}"
        );
    }
    let unenforced = [project, (names::ENFORCE_RUN_AS_USER, "false")];
    assert_eq!(met(&unenforced), by(&["reeve-defaults-unenforced"]));
    let scaled = [project, (names::SCALE_BY_GPU, "true")];
    assert_eq!(met(&scaled), by(&["reeve-defaults", "reeve-limits"]));
    assert_eq!(met(&[project, (names::SCALE_BY_GPU, "false")]), enforced);
    assert_eq!(met(&[]), ["reeve-outside"]);
    assert_eq!(met(&unenforced[1..]), ["reeve-outside"]);
}

/// What an expression that goes through a list costs is the square of its length (`entries.rs`).
#[test]
fn no_policy_goes_through_what_a_writer_chose_without_a_bound() {
    let is_written = |policy: &Value| {
        let rules = policy.pointer("/spec/matchConstraints/resourceRules");
        let resources = rules.and_then(Value::as_array).into_iter().flatten();
        let mut resources = resources.flat_map(|rule| rule["resources"].as_array().unwrap());
        resources.any(|of| {
            let of = of.as_str().unwrap();
            let others = ["bindings", "persistentvolumeclaims", "services"];
            of == "pods" || others.contains(&of) || TemplateKind::ALL.iter().any(|kind| kind.plural() == of)
        })
    };
    let bounds = [entries::bounded_cel(), entries::bounded_kind_cel()];
    let texts = |policy: &Value, of: &str| -> Vec<String> {
        let all = policy["spec"][of].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| one["expression"].as_str().unwrap().to_owned())
            .collect()
    };
    let goes_through = |cel: &str| {
        ["all(", "exists(", "map(", "filter(", "transformList("]
            .iter()
            .any(|it| cel.contains(it))
    };
    let mut bounded = Vec::new();
    for policy in policies().iter().filter(|policy| is_written(policy)) {
        let name = policy["metadata"]["name"].as_str().unwrap();
        let conditions = texts(policy, "matchConditions");
        // Of these nothing passes by that is too large: what goes through anything begins with the variable.
        let counting = [
            "reeve-entries",
            "reeve-namespace-bounds",
            "reeve-outside",
            "reeve-pods",
        ];
        if counting.contains(&name) {
            let validations = texts(policy, "validations");
            let through = validations
                .iter()
                .filter(|cel| cel.contains("variables.") && goes_through(cel));
            for cel in through.filter(|cel| !cel.contains("reeve-node-pool")) {
                assert!(
                    cel.contains(&format!("variables.{} || ", entries::VARIABLE)),
                    "{name}: {cel}"
                );
            }
            continue;
        }
        let is_bounded = |cel: &String| bounds.iter().any(|bound| cel.contains(bound));
        let mutations = policy["spec"]["mutations"].as_array().into_iter().flatten();
        let mut mutations = mutations.map(|one| one["jsonPatch"]["expression"].as_str().unwrap());
        // The short way counts what it goes through itself; all else is asked of what is not too large.
        let nothing = format!(" : variables.{} ? [] : ", entries::VARIABLE);
        let by_both_ways = |expression: &str| {
            let (short, long) = expression.split_once(&nothing).unwrap_or(("", expression));
            short.starts_with("variables.bare ? ") && !short.contains("pod.") && expression.len() > long.len()
        };
        assert!(
            if name.starts_with("reeve-defaults") {
                mutations.all(by_both_ways)
            } else {
                conditions.iter().any(is_bounded)
            },
            "{name} is asked of objects of any size"
        );
        for condition in conditions.iter().filter(|cel| goes_through(cel)) {
            // It compares two lists of lists, made for that; or counts what it goes through itself.
            let compares = name == "reeve-limits" && condition.contains("oldObject");
            let counts = condition
                .matches(&format!("size() <= {} && ", entries::MOST))
                .count()
                == 3;
            assert!(is_bounded(condition) || compares || counts, "{name}: {condition}");
        }
        bounded.push(name.to_owned());
    }
    assert_eq!(bounded.len(), 10, "{bounded:?}");
}

#[test]
fn a_fault_changes_exactly_one_expression() {
    let sound = policies();
    let expressions = |documents: &[Value]| -> Vec<Value> {
        let of = |v: &Value| v.pointer("/spec/validations").and_then(Value::as_array).cloned();
        documents
            .iter()
            .filter_map(of)
            .flatten()
            .map(|v| v["expression"].clone())
            .collect()
    };
    let before = expressions(&sound);
    for check in checks() {
        let faulty = expressions(&policies_with_fault(check.id));
        let changed: Vec<_> = before.iter().zip(&faulty).filter(|(a, b)| a != b).collect();
        assert_eq!(before.len(), faulty.len());
        assert_eq!(changed.len(), 1, "{}", check.id);
        assert_eq!(
            (changed[0].0, changed[0].1),
            (&json!(check.expression()), &json!("true")),
            "{}",
            check.id
        );
    }
    assert_eq!(policies_with_fault("no-such-check"), policies());
}
