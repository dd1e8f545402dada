//! What programs are started with, and what they announce.

use anyhow::{Context, Result};
use serde_json::Value;

/// The address people sign in with on the first start.
pub const ADMINISTRATOR: &str = "admin@reeve.example";

pub(crate) fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()])
        .collect()
}

pub(crate) fn with_command(command: &str, mut arguments: Vec<String>) -> Vec<String> {
    arguments.insert(0, command.to_owned());
    arguments
}

/// A string field of an answer.
pub(crate) fn text(value: &Value, field: &str) -> Result<String> {
    let found = value.get(field).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no `{field}` in {value}"))
}
