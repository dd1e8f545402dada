//! Which rights of the operator's table a log of requests does not show in use. The operator's tests and the
//! end-to-end tests both read their log with it.

use reeve_admission::names;
use reeve_tenancy::operator::{self, Grant, Reach};
use reeve_tenancy::{OPERATOR_BINDING, Switches};
use reeve_testkit::AuditEvent;

/// Every right of those that are given with these switches that none of the operator's requests used: where it holds, what it allows, on which name if it is limited
/// to names, and why it was given.
pub fn unused(switches: Switches, events: &[AuditEvent]) -> Vec<String> {
    let granted: Vec<&AuditEvent> = events
        .iter()
        .filter(|event| (200..300).contains(&event.code))
        .collect();
    let mut unused = Vec::new();
    for grant in operator::given(switches) {
        for resource in grant.resources {
            for verb in grant.verbs {
                let names: Vec<Option<&str>> = if grant.names.is_empty() {
                    vec![None]
                } else {
                    grant.names.iter().copied().map(Some).collect()
                };
                for name in names {
                    if !granted
                        .iter()
                        .any(|event| uses(grant, resource, verb, name, event))
                    {
                        unused.push(format!(
                            "{:?}: {verb} {}/{resource} {}: {}",
                            grant.reach,
                            grant.group,
                            name.unwrap_or_default(),
                            grant.because
                        ));
                    }
                }
            }
        }
    }
    unused
}

fn uses(grant: &Grant, resource: &str, verb: &str, name: Option<&str>, event: &AuditEvent) -> bool {
    if verb == "bind" {
        return event.resource == "rolebindings" && writes(event) && name == Some(bound_role(event).as_str());
    }
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let same = event.api_group == grant.group
        && event.resource == resource
        && event.subresource == subresource
        && name.is_none_or(|name| name == event.name);
    // A server-side apply that makes its object needs `create` too.
    let verbs = event.verb == verb || verb == "create" && event.verb == "patch" && event.code == 201;
    same && verbs && is_within(grant.reach, event)
}

/// Whether a request needs the right that holds there. Bindings may be made everywhere and in projects: the first is for
/// the operator's own binding, without which it has no right in the project yet, the second for those of people.
fn is_within(reach: Reach, event: &AuditEvent) -> bool {
    let in_project = event.namespace.starts_with("reeve-")
        && ![names::SYSTEM_NAMESPACE, names::SECRETS_NAMESPACE].contains(&event.namespace.as_str());
    let makes_binding = event.resource == "rolebindings" && writes(event);
    match reach {
        Reach::Cluster => !makes_binding || is_own(event),
        Reach::Projects => in_project && !(makes_binding && is_own(event)),
        Reach::System => event.namespace == names::SYSTEM_NAMESPACE,
        Reach::Sources => event.namespace == names::SECRETS_NAMESPACE,
        Reach::Reference => event.namespace == names::REFERENCE_NAMESPACE,
        Reach::Default => event.namespace == "default",
    }
}

fn writes(event: &AuditEvent) -> bool {
    ["create", "patch"].contains(&event.verb.as_str())
}

/// Whether the request is about one of the operator's own bindings.
fn is_own(event: &AuditEvent) -> bool {
    event.name.starts_with(OPERATOR_BINDING)
}

/// The role that a binding of the operator's gives: those of people are named after it, its own after the switch.
fn bound_role(event: &AuditEvent) -> String {
    match event.name.strip_prefix(OPERATOR_BINDING) {
        Some(switch) => format!("{}{switch}", names::ROLE_OPERATOR_IN_PROJECT),
        None => event.name.clone(),
    }
}
