//! What the API server does with a value: it drops `null`, fills in defaults, and refuses what a schema or a rule does not take.

use serde_json::{Map, Value};

pub(crate) const QUANTITY: &str = r"^(\+|-)?(([0-9]{1,12}(\.[0-9]{0,9})?)|(\.[0-9]{1,9}))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]{1,3}))?$";

/// The rule of what cannot be changed.
const UNCHANGED: &str = "self == oldSelf";

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some()
}

fn is_empty_list(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Whether a rule holds. A rule that is not known here ends the test: whoever writes one writes it here, too.
fn holds(rule: &str, value: &Value) -> bool {
    match rule {
        "has(self.gpu) || has(self.cpu)" => has(value, "gpu") || has(value, "cpu"),
        "!(has(self.model) && self.model != '' && has(self.minVram))" => {
            !(has(value, "model") && value["model"] != "" && has(value, "minVram"))
        }
        "size(self) >= 1" => value.as_array().is_some_and(|list| !list.is_empty()),
        "(has(self.name) ? 1 : 0) + (has(self.image) ? 1 : 0) + (has(self.custom) ? 1 : 0) == 1" => {
            ["name", "image", "custom"]
                .iter()
                .filter(|key| has(value, key))
                .count()
                == 1
        }
        _ if rule.starts_with("!has(self.modelSources)") => {
            let all = value["customTemplates"].as_array();
            is_empty_list(value, "modelSources")
                || is_empty_list(value, "customTemplates")
                || has(&value["custom"], "hardware")
                || all
                    .into_iter()
                    .flatten()
                    .all(|template| has(template, "hardware"))
        }
        unknown => panic!("a rule that `serving-specs` does not know: {unknown}"),
    }
}

fn rules(schema: &Value) -> impl Iterator<Item = &str> {
    let rules = schema["x-kubernetes-validations"].as_array();
    rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule["rule"].as_str())
}

/// Without `null`, with defaults.
pub(crate) fn admitted(schema: &Value, value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut object: Map<String, Value> = object.clone();
            if schema.get("properties").is_some() {
                object.retain(|_, value| !value.is_null());
            }
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                let found = object
                    .get(name)
                    .cloned()
                    .or_else(|| inner.get("default").cloned());
                object.extend(found.map(|found| (name.clone(), admitted(inner, &found))));
            }
            if let Some(inner) = schema.get("additionalProperties") {
                object
                    .values_mut()
                    .for_each(|value| *value = admitted(inner, value));
            }
            Value::Object(object)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| admitted(&schema["items"], item))
            .collect(),
        other => other.clone(),
    }
}

/// With the fields of `before` in place of those that may not be changed.
pub(crate) fn pinned(schema: &Value, before: &Value, value: &Value) -> Value {
    if rules(schema).any(|rule| rule == UNCHANGED) {
        return before.clone();
    }
    let (Value::Object(before), Value::Object(object)) = (before, value) else {
        return value.clone();
    };
    let mut object = object.clone();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let (Some(before), Some(now)) = (before.get(name), object.get(name).filter(|now| !now.is_null())) {
            let now = pinned(inner, before, now);
            object.insert(name.clone(), now);
        }
    }
    Value::Object(object)
}

/// Why a value would be refused, of what stands in it, too.
pub(crate) fn refusal(schema: &Value, path: &str, value: &Value, before: Option<&Value>) -> Option<String> {
    if let Some(why) = refusal_here(schema, value, before) {
        return Some(format!("{path}: {why}"));
    }
    match value {
        Value::Object(object) => object.iter().find_map(|(name, value)| {
            let below = format!("{path}.{name}");
            let inner = schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties"));
            let open = schema["x-kubernetes-preserve-unknown-fields"] == true
                || inner.is_none() && schema.get("properties").is_none();
            match inner {
                _ if open => None,
                // What a schema does not know is dropped: whoever wrote it is not understood.
                None => Some(format!("{below}: not known")),
                Some(inner) => refusal(inner, &below, value, before.and_then(|before| before.get(name))),
            }
        }),
        Value::Array(items) => items
            .iter()
            .find_map(|item| refusal(&schema["items"], path, item, None)),
        _ => None,
    }
}

/// The same of the value itself alone. Patterns are not looked at.
pub(crate) fn refusal_here(schema: &Value, value: &Value, before: Option<&Value>) -> Option<String> {
    let wrong = |what: &str| Some(format!("{what}: {value}"));
    let is_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => true,
    };
    if !is_type {
        return wrong("of another type");
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|choices| !choices.contains(value))
    {
        return wrong("none of the words");
    }
    let within = |size: Option<f64>, least: &str, most: &str| {
        size.is_none_or(|size| {
            schema[least].as_f64().is_none_or(|least| size >= least)
                && schema[most].as_f64().is_none_or(|most| size <= most)
        })
    };
    let length = value.as_str().map(|text| text.chars().count() as f64);
    let items = value.as_array().map(|list| list.len() as f64);
    if !within(value.as_f64(), "minimum", "maximum")
        || !within(length, "minLength", "maxLength")
        || !within(items, "minItems", "maxItems")
    {
        return wrong("out of bounds");
    }
    let mut required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    if let Some(missing) = required.find(|name| value.get(name).is_none()) {
        return wrong(&format!("without `{missing}`"));
    }
    rules(schema)
        .find(|rule| match *rule {
            UNCHANGED => before.is_some_and(|before| before != value),
            rule => !holds(rule, value),
        })
        .map(|rule| format!("against `{rule}`: {value}"))
}
