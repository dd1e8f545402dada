//! The operator ran under exactly its rights: the API server's log says which it used.

use reeve_serving::rights::{CLUSTER, Grant, METRICS, NAMESPACE};
use reeve_testkit::AuditEvent;

use crate::rig::Rig;

/// No request was refused, and no right of the table was without use.
pub(crate) fn every_right_is_used_and_none_is_missing(rig: &Rig) {
    let events = rig.requests(0);
    let refused: Vec<String> = events
        .iter()
        // A test tries with the operator's token whether it could read a Secret.
        .filter(|event| event.code == 403 && event.resource != "secrets")
        // In a namespace that ends nothing can be made, whoever may; an event about what goes in it is lost.
        .filter(|event| !(event.resource == "events" && event.namespace == "ends-quiet"))
        .map(|event| {
            format!(
                "{} {} {}/{}",
                event.verb, event.resource, event.namespace, event.name
            )
        })
        .collect();
    assert_eq!(refused, Vec::<String>::new());
    let mut unused = Vec::new();
    for grant in CLUSTER.iter().chain(NAMESPACE).chain(METRICS) {
        for resource in grant.resources {
            for verb in grant.verbs {
                if !events.iter().any(|event| uses(grant, resource, verb, event)) {
                    unused.push(format!("{verb} {resource}: {}", grant.because));
                }
            }
        }
    }
    assert_eq!(unused, Vec::<String>::new());
}

fn uses(grant: &Grant, resource: &str, verb: &str, event: &AuditEvent) -> bool {
    if !(200..300).contains(&event.code) {
        return false;
    }
    if verb == "bind" {
        return event.resource == "rolebindings"
            && event.verb == "patch"
            && grant.names.contains(&event.name.as_str());
    }
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    // A server-side apply that makes its object needs `create` too.
    let verbs = event.verb == verb || verb == "create" && event.verb == "patch" && event.code == 201;
    verbs && event.api_group == grant.group && event.resource == resource && event.subresource == subresource
}
