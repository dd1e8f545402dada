//! What an earlier apply of ours set and the next one would take away: `covers` does not see it, since it asks only whether what is
//! wanted is there.

use serde_json::Value;

/// Whether `manager` owns a field of `found` by server-side apply that `desired` has no more. Without `managedFields` nothing is known
/// of owners, and the answer is no.
pub(crate) fn holds_more(found: &Value, manager: &str, desired: &Value) -> bool {
    let entries = found.pointer("/metadata/managedFields").and_then(Value::as_array);
    let ours = entries.into_iter().flatten().filter(|entry| {
        let says = |key: &str, value: &str| entry.get(key).and_then(Value::as_str) == Some(value);
        let of_status = entry
            .get("subresource")
            .is_some_and(|subresource| *subresource != "");
        says("manager", manager) && says("operation", "Apply") && !of_status
    });
    let mut owned = ours.filter_map(|entry| entry.get("fieldsV1"));
    owned.any(|fields| has_more(fields, desired))
}

/// `fields` in the form of `metav1.FieldsV1`: `f:` a field, `k:` an item of a list by its keys, `v:` an item by its value.
fn has_more(fields: &Value, desired: &Value) -> bool {
    let fields = fields.as_object().into_iter().flatten();
    let mut below = fields.filter(|(path, _)| *path != ".");
    below.any(|(path, inner)| match path.split_once(':') {
        Some(("f", name)) => match desired.get(name) {
            Some(value) if !value.is_null() => has_more(inner, value),
            _ => true,
        },
        Some(("k", keys)) => match item(desired, |item| bears(item, keys)) {
            Some(value) => has_more(inner, value),
            None => true,
        },
        Some(("v", value)) => {
            let value = serde_json::from_str::<Value>(value).unwrap_or_default();
            item(desired, |item| *item == value).is_none()
        }
        // An item by its place: nothing that we apply is told so.
        _ => false,
    })
}

fn item(list: &Value, is_it: impl Fn(&Value) -> bool) -> Option<&Value> {
    list.as_array()?.iter().find(|item| is_it(item))
}

/// Whether an item has these keys. One that it does not name was filled in by the API server.
fn bears(item: &Value, keys: &str) -> bool {
    let keys = serde_json::from_str::<Value>(keys).unwrap_or_default();
    let keys = keys.as_object().into_iter().flatten();
    keys.into_iter()
        .all(|(key, value)| item.get(key).is_none_or(|own| own == value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MANAGER: &str = "aim-service-controller";

    fn found(fields: &Value) -> Value {
        json!({"metadata": {"managedFields": [
            {"manager": "kserve", "operation": "Update", "fieldsV1": {"f:spec": {"f:other": {}}}},
            {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields},
            {"manager": MANAGER, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ]}})
    }

    // Planted fault: an answer that is always no leaves an account on the pods of a service that names none any more.
    #[test]
    fn a_field_that_was_applied_and_is_wanted_no_more_is_seen() {
        let fields = json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {
            ".": {}, "f:account": {},
            "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}}},
            "f:groups": {"v:\"x\"": {}},
        }});
        let wanted = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {
            "account": "sa", "ports": [{"port": 80, "name": "http"}], "groups": ["x"],
        }});
        let found = found(&fields);
        assert!(!holds_more(&found, MANAGER, &wanted));
        for gone in [
            "/metadata/labels/a",
            "/spec/account",
            "/spec/ports/0/name",
            "/spec/groups/0",
            "/spec/ports/0",
        ] {
            let mut less = wanted.clone();
            *less.pointer_mut(gone).unwrap() = Value::Null;
            assert!(holds_more(&found, MANAGER, &less), "{gone}");
        }
    }

    #[test]
    fn what_others_own_and_what_is_not_told_is_no_matter() {
        let wanted = json!({"spec": {}});
        assert!(!holds_more(&found(&json!({"f:spec": {}})), MANAGER, &wanted));
        assert!(!holds_more(&json!({"metadata": {}}), MANAGER, &wanted));
        assert!(!holds_more(
            &found(&json!({"f:spec": {"f:x": {}}})),
            "another",
            &wanted
        ));
    }
}
