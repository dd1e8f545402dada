//! JSON Schemas of the kinds that are rendered, one file a kind: of Kubernetes' own from the OpenAPI document of the API server, of
//! ours and of others from the custom resource definitions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::{documents, list, read, words};

const PREFIX: &str = "#/definitions/";

/// Writes `GROUP/KIND_VERSION.json`, kinds in lower case; `crds` are folders of custom resource definitions.
pub(super) fn write<'p>(
    swagger: &Path,
    crds: &[PathBuf],
    folder: &Path,
    rendered: impl Iterator<Item = &'p PathBuf>,
) -> Result<()> {
    let document: Value = serde_json::from_str(&read(swagger)?)?;
    let definitions = document
        .get("definitions")
        .and_then(Value::as_object)
        .context("no definitions")?;
    let mut kinds = BTreeSet::new();
    for file in rendered {
        for object in documents(&read(file)?)? {
            let version = words(&object, "/apiVersion");
            let (group, version) = version.split_once('/').unwrap_or(("", &version));
            kinds.insert((group.to_owned(), version.to_owned(), words(&object, "/kind")));
        }
    }
    for (group, version, kind) in kinds {
        let named = json!({"group": group, "version": version, "kind": kind});
        let is =
            |definition: &Value| list(definition, "/x-kubernetes-group-version-kind").any(|it| *it == named);
        // What is not there is of a custom resource definition.
        if let Some((name, _)) = definitions.iter().find(|(_, definition)| is(definition)) {
            put(folder, &group, &kind, &version, &closed(definitions, name))?;
        }
    }
    for crds in crds {
        for entry in fs::read_dir(crds).with_context(|| format!("reading `{}`", crds.display()))? {
            for definition in documents(&read(&entry?.path())?)? {
                put_defined(folder, &definition)?;
            }
        }
    }
    Ok(())
}

/// Every version of a custom resource definition.
fn put_defined(folder: &Path, definition: &Value) -> Result<()> {
    let (group, kind) = (
        words(definition, "/spec/group"),
        words(definition, "/spec/names/kind"),
    );
    for version in list(definition, "/spec/versions") {
        let mut schema = version
            .pointer("/schema/openAPIV3Schema")
            .cloned()
            .unwrap_or_default();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            // What every object has goes without saying in a custom resource.
            for field in ["apiVersion", "kind", "metadata"] {
                properties.insert(field.to_owned(), json!({}));
            }
        }
        put(folder, &group, &kind, &words(version, "/name"), &strict(&schema))?;
    }
    Ok(())
}

fn put(folder: &Path, group: &str, kind: &str, version: &str, schema: &Value) -> Result<()> {
    // kubeconform calls the group of Kubernetes' first kinds by their version.
    let folder = folder.join(if group.is_empty() { version } else { group });
    fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    let file = folder.join(format!("{}_{version}.json", kind.to_lowercase()));
    fs::write(&file, schema.to_string()).with_context(|| format!("writing `{}`", file.display()))
}

/// A definition with all that it names.
fn closed(definitions: &Map<String, Value>, name: &str) -> Value {
    let mut named = Map::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        if named.contains_key(&name) {
            continue;
        }
        let Some(definition) = definitions.get(&name) else {
            continue;
        };
        references(definition, &mut open);
        let special = match name.rsplit('.').next() {
            Some("IntOrString") => Some(json!({"type": ["string", "integer"]})),
            Some("Quantity") => Some(json!({"type": ["string", "number"]})),
            _ => None,
        };
        named.insert(name, special.unwrap_or_else(|| strict(definition)));
    }
    json!({"$ref": format!("{PREFIX}{name}"), "definitions": named})
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let target = fields.get("$ref").and_then(Value::as_str);
            found.extend(
                target
                    .and_then(|target| target.strip_prefix(PREFIX))
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Fields that are not named are refused, as the API server does when it is strict.
fn strict(schema: &Value) -> Value {
    let mut schema = schema.clone();
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    let open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if fields.contains_key("properties") && !fields.contains_key("additionalProperties") && !open {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(close);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(inner) {
            close(inner);
        }
    }
}
