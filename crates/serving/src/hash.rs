//! Hashes in names. They are taken of JSON as Go writes it, since the names are to be those that the reference operator gave.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource};
use sha2::{Digest, Sha256};

use crate::quantity;

/// Inputs of a hash, in order, joined by `|`.
#[derive(Debug, Clone, Default)]
pub struct Hash {
    inputs: Vec<String>,
}

impl Hash {
    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.inputs.push(quoted(text));
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: i64) -> Self {
        self.inputs.push(number.to_string());
        self
    }

    /// Adds environment variables in their order; none at all is Go's `null`.
    #[must_use]
    pub fn env(mut self, env: &[EnvVar]) -> Self {
        self.inputs.push(env_json(env));
        self
    }

    /// The first `digits` digits.
    pub fn hex(&self, digits: usize) -> String {
        hex(&self.inputs.join("|"), digits)
    }
}

/// The first `digits` hexadecimal digits of the SHA-256 of a text.
pub fn hex(text: &str, digits: usize) -> String {
    use std::fmt::Write;
    let mut all = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(all, "{byte:02x}");
    }
    all.truncate(digits);
    all
}

/// A text as Go's `encoding/json` writes it.
fn quoted(text: &str) -> String {
    use std::fmt::Write;
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{0}'..='\u{1f}' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// An object with the fields that are there, in this order.
fn object(fields: &[(&str, Option<String>)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("\"{name}\":{value}")))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// A text that Go leaves out when it is empty.
fn unless_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| quoted(text))
}

fn env_json(env: &[EnvVar]) -> String {
    if env.is_empty() {
        return "null".to_owned();
    }
    let variables: Vec<String> = env.iter().map(variable).collect();
    format!("[{}]", variables.join(","))
}

fn variable(variable: &EnvVar) -> String {
    object(&[
        ("name", Some(quoted(&variable.name))),
        ("value", variable.value.as_deref().and_then(unless_empty)),
        ("valueFrom", variable.value_from.as_ref().map(source)),
    ])
}

fn source(source: &EnvVarSource) -> String {
    let key = |name: &str, key: &str, optional: Option<bool>| {
        object(&[
            ("name", unless_empty(name)),
            ("key", Some(quoted(key))),
            ("optional", optional.map(|o| o.to_string())),
        ])
    };
    let field = source.field_ref.as_ref().map(|field| {
        object(&[
            ("apiVersion", field.api_version.as_deref().and_then(unless_empty)),
            ("fieldPath", Some(quoted(&field.field_path))),
        ])
    });
    let resource = source.resource_field_ref.as_ref().map(|resource| {
        let divisor = resource
            .divisor
            .as_ref()
            .map_or("0".to_owned(), quantity::canonical);
        object(&[
            (
                "containerName",
                resource.container_name.as_deref().and_then(unless_empty),
            ),
            ("resource", Some(quoted(&resource.resource))),
            ("divisor", Some(quoted(&divisor))),
        ])
    });
    let file = source.file_key_ref.as_ref().map(|file| {
        object(&[
            ("volumeName", Some(quoted(&file.volume_name))),
            ("path", Some(quoted(&file.path))),
            ("key", Some(quoted(&file.key))),
            ("optional", file.optional.map(|o| o.to_string())),
        ])
    });
    object(&[
        ("fieldRef", field),
        ("resourceFieldRef", resource),
        (
            "configMapKeyRef",
            source
                .config_map_key_ref
                .as_ref()
                .map(|r| key(&r.name, &r.key, r.optional)),
        ),
        (
            "secretKeyRef",
            source
                .secret_key_ref
                .as_ref()
                .map(|r| key(&r.name, &r.key, r.optional)),
        ),
        ("fileKeyRef", file),
    ])
}
