//! The OpenAPI document against the schema of OpenAPI 3.1 and of JSON Schema 2020-12.

use reeve_api::openapi;
use serde_json::{Value, json};

/// As the OpenAPI Initiative publishes it (Apache-2.0).
const SPECIFICATION: &str = include_str!("../data/openapi-3.1.schema.json");

/// Makes a document wrong.
type Break = fn(&mut Value);

fn complaints(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SPECIFICATION).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_document_is_openapi_3_1() {
    let complaints = complaints(&openapi::document());
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_document_that_is_none_is_noticed() {
    let broken: [(&str, Break); 4] = [
        ("an unknown version", |it| it["openapi"] = json!("2.0")),
        ("an answer without a description", |it| {
            it["paths"]["/api/v1/me"]["get"]["responses"]["200"] = json!({});
        }),
        ("a parameter without a schema", |it| {
            it["paths"]["/api/v1/me"]["get"]["parameters"] = json!([{"name": "x", "in": "query"}]);
        }),
        ("a member of no object", |it| it["nonsense"] = json!(1)),
    ];
    for (what, broken) in broken {
        let mut document = openapi::document();
        broken(&mut document);
        assert!(!complaints(&document).is_empty(), "{what}");
    }
}

#[test]
fn every_schema_is_json_schema() {
    let document = openapi::document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema:#}");
    }
}

#[test]
fn requests_and_answers_of_one_type_differ_where_they_must() {
    let document = openapi::document();
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    assert_eq!(
        schema("MemoryQuota")["required"],
        json!(["deserved", "limit", "overQuotaWeight", "units"])
    );
    assert_eq!(schema("MemoryQuotaInput")["required"], json!(["units"]));
    assert!(schema("EmailInput").is_null(), "what is the same has one name");
}

#[test]
fn errors_follow_from_what_an_operation_is() {
    let statuses = |method: &str, path: &str| -> Vec<String> {
        let document = openapi::document();
        let responses = document["paths"][path][method]["responses"]
            .as_object()
            .unwrap()
            .clone();
        responses.keys().cloned().collect()
    };
    assert_eq!(statuses("get", "/healthz"), ["200", "500", "503"]);
    assert_eq!(statuses("get", "/api/v1/me"), ["200", "401", "500", "503"]);
    assert_eq!(
        statuses("post", "/api/v1/org-unit/projects"),
        ["201", "400", "401", "403", "404", "409", "413", "500", "503"]
    );
    assert_eq!(
        statuses("delete", "/api/v1/org-unit/projects/{projectId}"),
        ["204", "400", "401", "403", "404", "500", "503"]
    );
}
