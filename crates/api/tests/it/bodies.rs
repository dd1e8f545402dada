//! Every request body against its schema: what one takes the other takes, and every field, at whatever depth, refuses by its
//! own name and without what was sent.

use reeve_api::{InvalidBody, OPERATIONS, Operation, RequestBody, openapi};
use serde_json::{Value, json};

/// What nobody wants to read in a message.
const SECRET: &str = "hunter2";

struct Case {
    operation: &'static Operation,
    check: fn(&[u8]) -> Result<(), InvalidBody>,
    credentials: bool,
    validator: jsonschema::Validator,
    document: Value,
    schema: Value,
    example: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let document = openapi::document();
        let case = |operation: &'static Operation| {
            let RequestBody::Json {
                check, credentials, ..
            } = operation.body
            else {
                return None;
            };
            let method = operation.method.as_str().to_lowercase();
            let body = &document["paths"][operation.path][method]["requestBody"];
            let reference = &body["content"]["application/json"]["schema"];
            let mut root = reference.clone();
            root["components"] = document["components"].clone();
            let schema = resolved(&document, reference);
            Some(Self {
                operation,
                check,
                credentials,
                validator: jsonschema::options()
                    .should_validate_formats(true)
                    .build(&root)
                    .unwrap(),
                document: document.clone(),
                example: schema["examples"][0].clone(),
                schema,
            })
        };
        OPERATIONS.iter().filter_map(case).collect()
    }

    fn parse(&self, body: &Value) -> Result<(), InvalidBody> {
        (self.check)(body.to_string().as_bytes())
    }
}

/// What a reference stands for; of a choice with null, the other one.
fn resolved(document: &Value, schema: &Value) -> Value {
    if let Some(target) = schema["$ref"].as_str() {
        let mut found = resolved(
            document,
            document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
        );
        if let Some(examples) = schema.get("examples") {
            found["examples"] = examples.clone();
        }
        return found;
    }
    let choice = schema["anyOf"].as_array().into_iter().flatten();
    match choice.into_iter().find(|it| it["type"] != "null") {
        Some(other) => resolved(document, other),
        None => schema.clone(),
    }
}

#[test]
fn the_example_of_every_body_is_taken_by_its_parser_and_its_schema() {
    let cases = Case::all();
    assert!(cases.len() >= 11);
    for case in cases {
        let name = case.operation.name;
        assert_eq!(case.parse(&case.example), Ok(()), "{name}: {}", case.example);
        assert!(case.validator.is_valid(&case.example), "{name}");
        let wrapped = Value::String(case.example.to_string());
        assert_eq!(case.parse(&wrapped), Ok(()), "{name} inside a string");
    }
}

#[test]
fn a_field_that_no_body_has_is_refused_by_name_by_both() {
    // A list has no fields of its own.
    let objects = |case: &Case| !case.credentials && case.example.is_object();
    for case in Case::all().into_iter().filter(objects) {
        for value in [json!(1), Value::Null] {
            let mut body = case.example.clone();
            body["nonsense"] = value;
            let path = "nonsense".to_owned();
            assert_eq!(
                case.parse(&body),
                Err(InvalidBody::Unknown { path }),
                "{}",
                case.operation.name
            );
            assert!(!case.validator.is_valid(&body), "{}", case.operation.name);
        }
    }
}

#[test]
fn a_field_that_must_be_there_is_missed_by_both() {
    for case in Case::all() {
        for field in case.schema["required"].as_array().into_iter().flatten() {
            let field = field.as_str().unwrap();
            let mut body = case.example.clone();
            body.as_object_mut().unwrap().remove(field);
            let path = field.to_owned();
            assert_eq!(
                case.parse(&body),
                Err(InvalidBody::Missing { path }),
                "{}",
                case.operation.name
            );
            assert!(!case.validator.is_valid(&body), "{}", case.operation.name);
            // Null is the same as nothing.
            body[field] = Value::Null;
            assert!(matches!(case.parse(&body), Err(InvalidBody::Missing { .. })));
        }
    }
}

/// The paths of all fields, into lists and objects: names, and `0` for a place in a list.
fn fields(document: &Value, schema: &Value, above: &[String], all: &mut Vec<Vec<String>>) {
    let schema = resolved(document, schema);
    let below = |name: &str| [above, &[name.to_owned()]].concat();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        all.push(below(name));
        fields(document, schema, &below(name), all);
    }
    if schema["items"].is_object() {
        fields(document, &schema["items"], &below("0"), all);
    }
}

fn with(mut body: Value, path: &[String], value: Value) -> Value {
    let mut place = &mut body;
    for (at, name) in path.iter().enumerate() {
        place = if name == "0" {
            if place.as_array().is_none_or(Vec::is_empty) {
                *place = json!([{}]);
            }
            &mut place[0]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            &mut place[name]
        };
        if at + 1 == path.len() {
            *place = value.clone();
        }
    }
    body
}

fn said(path: &[String]) -> String {
    let mut text = String::new();
    for name in path {
        match name.as_str() {
            "0" => text.push_str("[0]"),
            name if text.is_empty() => text.push_str(name),
            name => text.push_str(&format!(".{name}")),
        }
    }
    text
}

#[test]
fn every_field_refuses_by_its_whole_name_and_never_with_what_was_sent() {
    let mut count = 0;
    for case in Case::all() {
        let mut all = Vec::new();
        fields(&case.document, &case.schema, &[], &mut all);
        for path in all {
            // A list of lists is nothing that any field takes.
            let body = with(case.example.clone(), &path, json!([[SECRET]]));
            let refused = case.parse(&body);
            // Of credentials the grant decides what is looked at.
            assert!(
                refused.is_err() || case.credentials,
                "{}: {body}",
                case.operation.name
            );
            let error = refused.err().map(|error| error.to_string()).unwrap_or_default();
            if !case.credentials {
                let place = format!("`{}", said(&path));
                assert!(
                    error.starts_with(&place),
                    "{}: {body}: {error}",
                    case.operation.name
                );
                assert!(!case.validator.is_valid(&body), "{}: {body}", case.operation.name);
            }
            assert!(!error.contains(SECRET), "{error}");
            let text = with(case.example.clone(), &path, json!(SECRET));
            if let Err(error) = case.parse(&text) {
                assert!(!error.to_string().contains(SECRET), "{error}");
            }
            count += 1;
        }
    }
    assert!(count > 120, "only {count} fields were seen");
}
