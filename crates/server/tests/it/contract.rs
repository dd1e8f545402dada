//! Every answer that any test gets is compared with the OpenAPI document: its status, its content type and its body. What the
//! document does not say of an answer is a fault of one of the two.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use axum::http::Method;
use axum::http::response::Parts;
use jsonschema::Validator;
use reeve_api::{OPERATIONS, Operation, openapi};
use serde_json::{Value, json};

/// Refusals of what surrounds all operations: a path without one, a method without one, a head that is too large.
const AROUND: [u16; 3] = [404, 405, 431];

/// The document, in which no object may have a member that is not named.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = openapi::document();
    for schema in document["components"]["schemas"]
        .as_object_mut()
        .unwrap()
        .values_mut()
    {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
    }
    document
});

/// By schema: all errors have one.
type Known = BTreeMap<String, &'static Validator>;
static VALIDATORS: Mutex<Known> = Mutex::new(BTreeMap::new());

/// The operation of a call.
fn operation(method: &Method, path: &str) -> Option<&'static Operation> {
    let fits = |row: &&Operation| {
        let (ours, theirs) = (row.path.split('/'), path.split('/'));
        ours.clone().count() == theirs.clone().count()
            && ours
                .zip(theirs)
                .all(|(ours, theirs)| ours.starts_with('{') || ours == theirs)
    };
    // A fixed part wins over a parameter, as in the router: `users/count`.
    let rows = OPERATIONS
        .iter()
        .filter(|row| Method::from(row.method) == *method)
        .filter(fits);
    rows.min_by_key(|row| row.path.matches('{').count())
}

/// What the document says of an answer; `None` when it does not name the status.
fn answer(operation: &Operation, status: u16) -> Option<&'static Value> {
    let method = operation.method.as_str().to_lowercase();
    DOCUMENT["paths"][operation.path][method]["responses"].get(status.to_string())
}

fn validator(schema: &Value) -> &'static Validator {
    let mut known = VALIDATORS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    known.entry(schema.to_string()).or_insert_with(|| {
        let mut root = schema.clone();
        root["components"] = DOCUMENT["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&root);
        Box::leak(Box::new(validator.unwrap()))
    })
}

/// What is wrong with an answer.
fn complaint(operation: &Operation, status: u16, kind: &str, text: &str) -> Option<String> {
    let Some(documented) = answer(operation, status) else {
        return Some("this status is not in the document".to_owned());
    };
    let Some(content) = documented["content"].as_object() else {
        return (!text.is_empty()).then(|| "a body where none is in the document".to_owned());
    };
    let (named, content) = content.iter().next().unwrap();
    if kind.split(';').next() != Some(named) {
        return Some(format!(
            "the content type is `{kind}`, and in the document `{named}`"
        ));
    }
    let schema = content.get("schema")?;
    let body: Value = serde_json::from_str(text).ok()?;
    let validator = validator(schema);
    let wrong: Vec<_> = validator
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

/// Panics on an answer that is not as documented.
pub(crate) fn check(method: &Method, path: &str, parts: &Parts, text: &str) {
    let status = parts.status.as_u16();
    let Some(operation) = operation(method, path) else {
        return;
    };
    // The path itself was too long for any operation.
    let around = AROUND.contains(&status) || (status == 400 && path.len() > reeve_server::bounds::PATH);
    if around && answer(operation, status).is_none() {
        return;
    }
    let kind = parts
        .headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let wrong = complaint(operation, status, kind.unwrap_or_default(), text);
    assert!(
        wrong.is_none(),
        "{method} {path} answered {status} {text}\n{}",
        wrong.unwrap_or_default()
    );
}

#[test]
fn an_answer_that_is_not_as_documented_is_noticed() {
    let me = reeve_api::me::MeOperation::GetMe.row();
    let good = json!({"id": "1", "username": "a", "type": "user", "groups": [], "posix": null, "roles": []});
    let said = |status: u16, kind: &str, body: &Value| complaint(me, status, kind, &body.to_string());
    assert_eq!(said(200, "application/json", &good), None);
    let mut more = good.clone();
    more["secret"] = json!("x");
    let mut less = good.clone();
    less.as_object_mut().unwrap().remove("posix");
    let mut other = good.clone();
    other["type"] = json!("robot");
    for wrong in [more, less, other, json!([])] {
        assert!(said(200, "application/json", &wrong).is_some(), "{wrong}");
    }
    assert!(said(200, "text/plain", &good).is_some());
    assert!(said(409, "application/json", &json!({"code": 409, "message": "x"})).is_some());
    assert!(said(401, "application/json", &json!({"error": "x"})).is_some());
}
