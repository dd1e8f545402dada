//! What an earlier apply of ours set and the next one would take away: `covers` does not see it, since it asks only whether what is
//! wanted is there.

use serde_json::Value;

/// How much of what an earlier apply of ours set is still there and no longer wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum More {
    /// Nothing.
    Nothing,
    /// Something within what is owned whole, as a list without keys is: ours of before, or what a default or a webhook filled in.
    /// Nobody can tell these apart.
    Within,
    /// A field.
    Field,
}

/// How much more of `found` `manager` owns by server-side apply than `desired` has. Without `managedFields` nothing is known of owners,
/// and it is nothing.
pub(crate) fn more(found: &Value, manager: &str, desired: &Value) -> More {
    let entries = found.pointer("/metadata/managedFields").and_then(Value::as_array);
    let ours = entries.into_iter().flatten().filter(|entry| {
        let says = |key: &str, value: &str| entry.get(key).and_then(Value::as_str) == Some(value);
        let of_status = entry
            .get("subresource")
            .is_some_and(|subresource| *subresource != "");
        says("manager", manager) && says("operation", "Apply") && !of_status
    });
    let owned = ours.filter_map(|entry| entry.get("fieldsV1"));
    let of_entries = owned.map(|fields| below(fields, found, desired));
    of_entries.max().unwrap_or(More::Nothing)
}

/// `fields` in the form of `metav1.FieldsV1`: `f:` a field, `k:` an item of a list by its keys, `v:` an item by its value.
fn below(fields: &Value, found: &Value, desired: &Value) -> More {
    let fields = fields.as_object().into_iter().flatten();
    let paths = fields.filter(|(path, _)| *path != ".");
    let of_paths = paths.map(|(path, inner)| match path.split_once(':') {
        Some(("f", name)) => match desired.get(name) {
            Some(value) if !value.is_null() => at(inner, found.get(name), value),
            _ => More::Field,
        },
        Some(("k", keys)) => match item(desired, |item| bears(item, keys)) {
            Some(value) => at(inner, item(found, |item| bears(item, keys)), value),
            None => More::Field,
        },
        Some(("v", value)) => {
            let value = serde_json::from_str::<Value>(value).unwrap_or_default();
            match item(desired, |item| *item == value) {
                Some(_) => More::Nothing,
                None => More::Field,
            }
        }
        // An item by its place: nothing that we apply is told so.
        _ => More::Nothing,
    });
    of_paths.max().unwrap_or(More::Nothing)
}

/// What names nothing below itself is owned whole.
fn at(inner: &Value, found: Option<&Value>, desired: &Value) -> More {
    let Some(found) = found else { return More::Nothing };
    if inner.as_object().is_some_and(|paths| !paths.is_empty()) {
        return below(inner, found, desired);
    }
    match has_only(found, desired) {
        true => More::Nothing,
        false => More::Within,
    }
}

/// Whether `found` has no key that `desired` has not, at whatever depth. Whether it has those is `covers`' question.
fn has_only(found: &Value, desired: &Value) -> bool {
    match (found, desired) {
        (Value::Object(found), Value::Object(desired)) => found.iter().all(|(key, value)| {
            let wanted = desired.get(key).filter(|wanted| !wanted.is_null());
            value.is_null() || wanted.is_some_and(|wanted| has_only(value, wanted))
        }),
        (Value::Array(found), Value::Array(desired)) => found
            .iter()
            .zip(desired)
            .all(|(found, desired)| has_only(found, desired)),
        _ => true,
    }
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

    /// An object with this content, of which we own these fields.
    fn found(fields: &Value, content: &Value) -> Value {
        let mut object = content.clone();
        object["metadata"]["managedFields"] = json!([
            {"manager": "kserve", "operation": "Update", "fieldsV1": {"f:spec": {"f:other": {}}}},
            {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields},
            {"manager": MANAGER, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ]);
        object
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
        let found = found(&fields, &wanted);
        assert_eq!(more(&found, MANAGER, &wanted), More::Nothing);
        for gone in [
            "/metadata/labels/a",
            "/spec/account",
            "/spec/ports/0/name",
            "/spec/groups/0",
            "/spec/ports/0",
        ] {
            let mut less = wanted.clone();
            *less.pointer_mut(gone).unwrap() = Value::Null;
            assert_eq!(more(&found, MANAGER, &less), More::Field, "{gone}");
        }
    }

    // Planted fault: looking at fields alone leaves a limit on the container and a time limit on the route for ever: both stand in
    // lists that are owned whole.
    #[test]
    fn what_is_wanted_no_more_within_a_list_that_is_owned_whole_is_seen() {
        let fields = json!({"f:spec": {"f:containers": {}, "f:rules": {}}});
        let there = json!({"spec": {
            "containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}],
            "rules": [{"matches": [], "timeouts": {"request": "30s"}}],
        }});
        let found = found(&fields, &there);
        assert_eq!(more(&found, MANAGER, &there), More::Nothing);
        for gone in [
            "/spec/containers/0/resources/limits/memory",
            "/spec/rules/0/timeouts",
        ] {
            let mut less = there.clone();
            *less.pointer_mut(gone).unwrap() = Value::Null;
            assert_eq!(more(&found, MANAGER, &less), More::Within, "{gone}");
        }
        let mut another = there.clone();
        another["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("2Gi");
        assert_eq!(
            more(&found, MANAGER, &another),
            More::Nothing,
            "`covers` sees that"
        );
    }

    #[test]
    fn what_others_own_and_what_is_not_told_is_no_matter() {
        let wanted = json!({"spec": {}});
        let empty = json!({});
        assert_eq!(
            more(&found(&json!({"f:spec": {".": {}}}), &empty), MANAGER, &wanted),
            More::Nothing
        );
        assert_eq!(more(&json!({"metadata": {}}), MANAGER, &wanted), More::Nothing);
        assert_eq!(
            more(
                &found(&json!({"f:spec": {"f:x": {}}}), &json!({"spec": {"x": 1}})),
                "another",
                &wanted
            ),
            More::Nothing
        );
    }
}
