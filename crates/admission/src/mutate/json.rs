//! Reaching into objects that are being filled in.

use serde_json::{Map, Value};

/// The object at a key, made when it is absent.
pub(super) fn object_at<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map.entry(key).or_insert_with(|| Value::Object(Map::new())),
        other => other,
    }
}

/// The list at a key, made when it is absent; `None` of what is no object, or where something else stands.
pub(super) fn list_at<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    let place = value.as_object_mut()?.entry(key).or_insert(Value::Null);
    if place.is_null() {
        *place = Value::Array(Vec::new());
    }
    place.as_array_mut()
}

pub(super) fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}
