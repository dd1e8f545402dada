//! Who changed what the operator keeps: told by the field managers that the API server notes beside each field. Pure.
//!
//! A field is somebody else's when another manager owns it: the operator takes every field of its own with each apply, so that what
//! another owns was written after. Who takes a field away, or an object, leaves no trace in the object; the audit log of the
//! API server names persons, which field managers are not.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::ResourceExt;
use reeve_admission::names;
use serde::Serialize;
use serde_json::Value;

use crate::{LINK_MANAGER, MANAGER};

/// How many fields are named.
const NAMED: usize = 6;

/// What differs from what the operator wants, each with who wrote it; `None` where nobody else did: then what is wanted changed.
pub fn told<K: ResourceExt + Serialize>(actual: &K, wanted: &K) -> Option<String> {
    let (have, want) = (
        serde_json::to_value(actual).ok()?,
        serde_json::to_value(wanted).ok()?,
    );
    let mut paths = Vec::new();
    differing(&have, &want, &mut Vec::new(), &mut paths);
    let others: Vec<&ManagedFieldsEntry> = actual
        .managed_fields()
        .iter()
        .filter(|entry| !is_us(entry))
        .collect();
    let ours_once = actual.managed_fields().iter().any(is_us);
    let said: Vec<String> = paths
        .iter()
        .filter_map(|(path, is_there)| {
            let name = path.join(".");
            match others.iter().find(|entry| owns(entry, path)) {
                Some(entry) => Some(format!("`{name}` by {}", author(entry))),
                // Taken away: nobody owns what is not there. What is newly wanted is not there either, so only fields of every
                // object of ours are taken for that.
                None if !is_there && ours_once && is_constant(path) => {
                    Some(format!("`{name}` was taken away"))
                }
                None => None,
            }
        })
        .take(NAMED)
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The action of an event of drift. Events that differ in nothing but their words are one series to Kubernetes, which keeps the words of
/// the first: what was changed and by which program is in the action, when is not.
pub fn action(about: &str, what: &str) -> String {
    let without_times: Vec<&str> = what
        .split(", ")
        .map(|part| part.split_once("` at ").map_or(part, |(by, _)| by))
        .collect();
    let text = format!("PutBack {about} {}", without_times.join(" "));
    text.chars().filter(|c| *c != '`').take(128).collect()
}

/// Fields that each object of the operator has from its first moment on.
fn is_constant(path: &[String]) -> bool {
    matches!(path, [metadata, map, key] if metadata == "metadata" && map == "labels" && key.starts_with(names::PREFIX))
        || matches!(path, [subjects] if subjects == "subjects")
}

fn author(entry: &ManagedFieldsEntry) -> String {
    let manager = entry.manager.as_deref().unwrap_or("an unnamed program");
    let manager: String = manager.chars().filter(|c| !c.is_control()).take(100).collect();
    match &entry.time {
        Some(time) => format!("`{manager}` at {}", time.0),
        None => format!("`{manager}`"),
    }
}

/// The fields of `want` that `have` does not have so, and whether they are there at all. A list is one field.
fn differing(have: &Value, want: &Value, at: &mut Vec<String>, found: &mut Vec<(Vec<String>, bool)>) {
    let Value::Object(wanted) = want else {
        if have != want && !want.is_null() {
            found.push((at.clone(), !have.is_null()));
        }
        return;
    };
    for (key, value) in wanted {
        at.push(key.clone());
        differing(have.get(key).unwrap_or(&Value::Null), value, at, found);
        at.pop();
    }
}

/// Whether the operator wrote it, as a controller or as the link.
pub fn is_us(entry: &ManagedFieldsEntry) -> bool {
    matches!(entry.manager.as_deref(), Some(MANAGER | LINK_MANAGER))
}

/// Whether an entry owns the field of this path.
pub fn owns(entry: &ManagedFieldsEntry, path: &[String]) -> bool {
    let mut fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
    for part in path {
        fields = fields.and_then(|fields| fields.get(format!("f:{part}")));
    }
    fields.is_some()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::rbac::v1::RoleBinding;
    use serde_json::json;

    use super::*;

    fn binding(subject: &str, fields: Value) -> RoleBinding {
        serde_json::from_value(json!({
            "metadata": {"name": "reeve-viewer", "labels": {"reeve.dev/managed": "access-rules"}, "managedFields": fields},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reeve-viewer"},
            "subjects": [{"kind": "User", "name": subject}],
        }))
        .unwrap()
    }

    fn ours(fields: Value) -> Value {
        json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": fields})
    }

    #[test]
    fn who_owns_a_field_that_differs_wrote_it() {
        let wanted = binding("bob", json!([]));
        let theirs = json!({"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-01T10:00:00Z",
            "fieldsV1": {"f:subjects": {}}});
        let edited = binding("eve", json!([ours(json!({"f:metadata": {}})), theirs]));
        assert_eq!(
            told(&edited, &wanted).unwrap(),
            "`subjects` by `kubectl-edit` at 2026-11-01T10:00:00Z"
        );
        // Another rule: what is wanted changed, and nobody is named.
        let ours_still = binding("alice", json!([ours(json!({"f:subjects": {}}))]));
        assert_eq!(told(&ours_still, &wanted), None);
        assert_eq!(told(&wanted, &wanted), None);
    }

    #[test]
    fn two_drifts_are_two_events_and_one_that_comes_again_is_one() {
        let of =
            |by: &str, at: &str| action("the RoleBinding `a/b`", &format!("`subjects` by `{by}` at {at}"));
        assert_eq!(of("kubectl", "10:00"), of("kubectl", "10:01"));
        assert_ne!(of("kubectl", "10:00"), of("helm", "10:00"));
        assert!(of(&"x".repeat(300), "").chars().count() <= 128);
    }

    #[test]
    fn a_label_that_is_gone_was_taken_away() {
        let wanted = binding("bob", json!([]));
        let mut without = binding("bob", json!([ours(json!({}))]));
        without.labels_mut().clear();
        let said = told(&without, &wanted).unwrap();
        assert_eq!(said, "`metadata.labels.reeve.dev/managed` was taken away");
    }
}
