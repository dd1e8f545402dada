//! What no rendering of the chart may give, whatever the table says.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::chart::{Rights, RulesOf, resources};

/// Whom the chart may give anything to.
const HOLDERS: [&str; 2] = [
    "ServiceAccount reeve-system/reeve-operator",
    "ServiceAccount reeve-system/reeve-webhook",
];
/// The one role that is not its own: TokenReviews and SubjectAccessReviews.
const OF_KUBERNETES: &str = "ClusterRole system:auth-delegator";

/// Everything that is wrong with what was rendered.
pub(super) fn faults(rights: &Rights) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, role) in &rights.roles {
        if role.aggregates {
            faults.push(format!("{id} is aggregated with others"));
        }
        let of_rules = role.rules.iter().filter_map(fault);
        faults.extend(of_rules.map(|fault| format!("{id}: {fault}")));
    }
    for (id, binding) in &rights.bindings {
        let others = binding
            .subjects
            .iter()
            .filter(|who| !HOLDERS.contains(&who.as_str()));
        faults.extend(others.map(|who| format!("{id} is for {who}")));
        match rights.roles.get(&binding.role) {
            None if binding.role != OF_KUBERNETES => {
                faults.push(format!("{id} gives {}, which is not the chart's", binding.role));
            }
            Some(role) if binding.everywhere && has_secrets(role) => {
                faults.push(format!("{id} gives a verb on Secrets in the whole cluster"));
            }
            _ => {}
        }
    }
    let used = rights.constraints.iter().filter(|(_, who)| !who.is_empty());
    faults.extend(used.map(|(id, who)| format!("{id} may be used by {who:?}")));
    faults
}

fn fault(rule: &PolicyRule) -> Option<String> {
    let names = rule.resource_names.iter().flatten();
    let mut words = resources(rule);
    words.extend(names.clone().cloned());
    words.extend(rule.non_resource_urls.iter().flatten().cloned());
    words.extend(rule.verbs.iter().cloned());
    let has = |beginning: &str| rule.verbs.iter().any(|verb| verb.starts_with(beginning));
    let told = [
        (words.iter().any(|word| word.contains('*')), "a wildcard"),
        (has("escalate"), "escalate"),
        (has("impersonate"), "impersonate"),
        (has("bind") && names.count() == 0, "bind without names"),
    ];
    let told: Vec<&str> = told
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, told)| told)
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn has_secrets(role: &RulesOf) -> bool {
    let is_secret = |resource: &String| resource.starts_with("/secrets") || resource.contains('*');
    role.rules.iter().flat_map(resources).any(|it| is_secret(&it))
}

/// What is wrong with turning something off: it has to take something away, and to give nothing.
pub(super) fn takes_only(on: &Rights, off: &Rights) -> Option<String> {
    let (on, off): (BTreeSet<String>, BTreeSet<String>) = (on.each(), off.each());
    let given: Vec<&String> = off.difference(&on).collect();
    if !given.is_empty() {
        return Some(format!("gives {given:?}"));
    }
    (off.len() == on.len()).then(|| "takes nothing away".to_owned())
}
