//! The API as an OpenAPI 3.1 document, and as a page to read: both made from the rows and the types, so that neither says
//! what the server does not do.

mod components;
mod page;

use serde_json::{Map, Value, json};

use crate::error::ErrorBody;
use crate::operation::{Access, Answer, OPERATIONS, Operation, Query, RequestBody};
use crate::token::OAuth2Error;
use reeve_types::list::{ListSpec, MAX_LIMIT, MAX_TEXT};

use components::Components;
pub use page::{STYLE, page};

/// The document. It is the same for every installation of this version.
pub fn document() -> Value {
    let mut components = Components::new();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = operation.method.as_str().to_ascii_lowercase();
            path.insert(method, described(operation, &mut components));
        }
    }
    let mut tags: Vec<Value> = Vec::new();
    for operation in OPERATIONS {
        let tag = json!({"name": operation.tag});
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Reeve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Who may run what, where and as whom on Kubernetes clusters. Every error has the shape of \
                `ErrorBody`, but for 400 and 401 of `POST /api/v2/token`. A field of a request that is not listed here is refused \
                by its name, and so is one that is not supported yet; `null` is the same as leaving it out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The `accessToken` of `POST /api/v1/token`.",
                },
            },
        },
    });
    let schemas = components.finish(&mut document);
    if let Some(place) = document.get_mut("components").and_then(Value::as_object_mut) {
        place.insert("schemas".to_owned(), schemas);
    }
    document
}

/// The document as it is committed and served: with line ends, so that a change can be read.
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn described(operation: &Operation, components: &mut Components) -> Value {
    let needs = match operation.access {
        Access::Public => "Everybody may call it.".to_owned(),
        Access::Authenticated => "Needs a valid token.".to_owned(),
        Access::Requires(action, entity) => {
            format!(
                "Needs a valid token whose holder has `{}`.",
                reeve_authz::Permission::new(action, entity)
            )
        }
    };
    let mut described = json!({
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": needs,
        "responses": responses(operation, components),
        "security": if operation.access == Access::Public { json!([]) } else { json!([{"token": []}]) },
    });
    let Some(members) = described.as_object_mut() else {
        return described;
    };
    let mut parameters = Vec::new();
    if let Some(parameter) = operation.parameter() {
        let schema = components.taken(|generator| parameter.schema(generator));
        parameters.push(json!({"name": parameter.name(), "in": "path", "required": true, "schema": schema}));
    }
    parameters.extend(query(operation.query));
    if !parameters.is_empty() {
        members.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let body = match operation.body {
        RequestBody::Json { schema, .. } => Some(("application/json", schema)),
        RequestBody::Form { schema } => Some(("application/x-www-form-urlencoded", schema)),
        RequestBody::Unread | RequestBody::Empty => None,
    };
    if let Some((kind, schema)) = body {
        let schema = components.taken(schema);
        members.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {kind: {"schema": schema}}}),
        );
    }
    described
}

fn responses(operation: &Operation, components: &mut Components) -> Value {
    let success = match operation.answer {
        Answer::Nothing => json!({"description": "Done."}),
        Answer::Json(schema) => {
            let schema = components.given(schema);
            json!({"description": "Done.", "content": {"application/json": {"schema": schema}}})
        }
        Answer::Other(kind) => {
            // Content types are compared without their parameters.
            let kind = kind.split(';').next().unwrap_or(kind);
            json!({"description": "Done.", "content": {kind: {}}})
        }
    };
    let mut all = Map::new();
    all.insert(operation.success.to_string(), success);
    for status in operation.errors() {
        let schema = components.given(|generator| match status {
            400 | 401 if operation.oauth => generator.subschema_for::<OAuth2Error>(),
            _ => generator.subschema_for::<ErrorBody>(),
        });
        let content = json!({"application/json": {"schema": schema}});
        all.insert(
            status.to_string(),
            json!({"description": meaning(status), "content": content}),
        );
    }
    Value::Object(all)
}

const fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be; the message names the field or parameter and what is needed.",
        401 => "No valid token.",
        403 => "Not allowed; the message says what is missing, where, and who could grant it.",
        404 => "Not there, or not to be seen by the caller: the same words.",
        409 => "In the way of something that is there.",
        413 => "The body is too large.",
        429 => "Too often: try again later.",
        500 => "A fault of the server; the log has its cause under the request id.",
        503 => "Not now: try again after the seconds in `Retry-After`.",
        _ => "Refused.",
    }
}

fn query(query: Query) -> Vec<Value> {
    match query {
        Query::Nothing => Vec::new(),
        Query::List(spec) => list(spec),
        Query::Parameters(parameters) => parameters
            .iter()
            .map(|it| parameter(it.name, it.about, values(it.values)))
            .collect(),
    }
}

fn parameter(name: &str, about: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": about, "schema": schema})
}

fn list(spec: &ListSpec) -> Vec<Value> {
    let operators: Vec<_> = spec
        .operators
        .iter()
        .map(|it| format!("`{}`", it.as_str()))
        .collect();
    let fields: Vec<_> = spec.fields().collect();
    let filter = format!(
        "Clauses of field, operator and value, joined by commas, which all must hold. Fields: {}. Operators: {}.",
        fields.join(", "),
        operators.join(", ")
    );
    let mut all = vec![
        parameter(
            "offset",
            "How many to leave out at the front.",
            json!({"type": "integer", "minimum": 0, "default": 0}),
        ),
        parameter(
            "limit",
            "The most on a page.",
            json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": spec.default_limit}),
        ),
        parameter(
            "sortBy",
            "The field to sort by.",
            json!({"type": "string", "enum": fields}),
        ),
        parameter(
            "sortOrder",
            "Which end comes first.",
            json!({"type": "string", "enum": ["asc", "desc"], "default": "asc"}),
        ),
        parameter("filterBy", &filter, json!({"type": "string"})),
    ];
    if spec.columns.iter().any(|column| column.searched) {
        let schema = json!({"type": "string", "maxLength": MAX_TEXT});
        all.push(parameter(
            "search",
            "Text that one of the visible columns holds.",
            schema,
        ));
    }
    let extra = |name: &&str| parameter(name, "Narrows the list.", json!({"type": "string"}));
    all.extend(spec.extras.iter().map(extra));
    all
}

/// What a parameter may be: one of these, or any text.
fn values(of: &[&str]) -> Value {
    if of.is_empty() {
        json!({"type": "string"})
    } else {
        json!({"type": "string", "enum": of})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
        let document = document();
        let mut seen = std::collections::BTreeSet::new();
        fn references(value: &Value, seen: &mut std::collections::BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(target)) = members.get("$ref") {
                        seen.insert(target.clone());
                    }
                    members.values().for_each(|value| references(value, seen));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, seen)),
                _ => {}
            }
        }
        references(&document, &mut seen);
        for target in &seen {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(seen.contains(&format!("#/components/schemas/{name}")), "{name}");
        }
    }

    #[test]
    fn every_field_says_what_it_means() {
        // Fields of a type of their own are described there.
        let document = document();
        let mut silent = Vec::new();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
                let said = schema["description"].as_str().unwrap_or_default();
                if schema.get("$ref").is_none() && said.split_whitespace().count() < 2 {
                    silent.push(format!("{name}.{field}: `{said}`"));
                }
            }
        }
        assert!(silent.is_empty(), "{silent:#?}");
    }
}
