//! The fields of requests that are kept and shown and that nothing acts on: the one list of them is the snapshot beside this file.
//! A field says so itself, in its description in the OpenAPI document.

use std::fmt::Write as _;

use reeve_api::{OPERATIONS, RequestBody, openapi};
use serde_json::Value;

/// What the description of such a field says.
const WORDS: &str = "kept and shown";

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(target) = schema["$ref"].as_str() {
        return resolved(
            document,
            document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        );
    }
    let choice = schema["anyOf"].as_array().into_iter().flatten();
    match choice.into_iter().find(|it| it["type"] != "null") {
        Some(other) => resolved(document, other),
        None => schema,
    }
}

/// Those of a schema, by their paths; what is in one of them is not named again.
fn stored(document: &Value, schema: &Value, above: &str, all: &mut Vec<String>) {
    let schema = resolved(document, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{above}{name}");
        let about = field["description"].as_str().unwrap_or_default().to_lowercase();
        if about.contains(WORDS) {
            all.push(path);
        } else {
            stored(document, field, &format!("{path}."), all);
        }
    }
    if schema["items"].is_object() {
        stored(document, &schema["items"], &format!("{above}[]."), all);
    }
}

/// Planted fault: a field whose description says so no more.
#[test]
fn what_is_stored_and_not_acted_on_is_as_committed() {
    let document = openapi::document();
    let mut lines = String::new();
    for operation in OPERATIONS {
        if !matches!(operation.body, RequestBody::Json { .. }) {
            continue;
        }
        let method = operation.method.as_str().to_lowercase();
        let body = &document["paths"][operation.path][method]["requestBody"]["content"]["application/json"]["schema"];
        let about = resolved(&document, body)["description"]
            .as_str()
            .unwrap_or_default();
        let mut all = Vec::new();
        if about.to_lowercase().contains(WORDS) {
            all.push("all of it".to_owned());
        } else {
            stored(&document, body, "", &mut all);
        }
        for path in all {
            writeln!(lines, "{}: {path}", operation.name).unwrap();
        }
    }
    insta::assert_snapshot!(lines);
}
