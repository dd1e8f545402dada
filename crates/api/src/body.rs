//! Request bodies: from bytes to checked values.
//!
//! A body is a type that derives `Deserialize` and `JsonSchema`: what is read and what is documented are one. It is read
//! through `serde_path_to_error` from a source of our own (`Json`), which knows what each field asks for, so that a
//! refusal names its field and what is needed there, and never what was found: that may be a secret in the wrong place.

pub(crate) mod fields;
mod json;
pub(crate) mod mounting;
mod problem;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use json::Json;

/// Why a request body is refused, always with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// No JSON at all.
    #[error("the request body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, in bytes from 1.
        column: usize,
    },
    /// JSON, but no object where one is needed.
    #[error("{}: a JSON object is needed", place(.path))]
    NotAnObject {
        /// Where; empty for the body itself.
        path: String,
    },
    /// A required field is absent or null.
    #[error("`{path}` is missing")]
    Missing {
        /// The field, from the top, with dots between names.
        path: String,
    },
    /// A field that the operation does not know.
    #[error("`{path}` is not a field of this request")]
    Unknown {
        /// The field, from the top.
        path: String,
    },
    /// A field of the reference that this version does not honour, with a value that asks for something.
    #[error("`{path}` is not supported yet: leave it out")]
    Unsupported {
        /// The field, from the top.
        path: String,
    },
    /// A field with a value that cannot be.
    #[error("{}: {problem}", place(.path))]
    Wrong {
        /// The field, from the top.
        path: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

fn place(path: &str) -> String {
    if path.is_empty() {
        "the request body".to_owned()
    } else {
        format!("`{path}`")
    }
}

impl InvalidBody {
    /// [`InvalidBody::Wrong`].
    pub fn wrong(path: impl Into<String>, problem: impl ToString) -> Self {
        Self::Wrong {
            path: path.into(),
            problem: problem.to_string(),
        }
    }

    /// [`InvalidBody::Wrong`]: more than the most of something, which is called ` variables`, for example, or not at all.
    pub(crate) fn too_many(path: &str, most: usize, of: &str, count: usize) -> Self {
        Self::wrong(
            path,
            format!("at most {most}{of} are possible, and these are {count}"),
        )
    }
}

/// A request body that knows how to read itself.
pub trait Body: Sized + JsonSchema {
    /// Whether it holds credentials: then it is sent before anybody is known, and is small.
    const CREDENTIALS: bool = false;

    /// Reads and checks it. Bodies that are JSON text inside a JSON string are unwrapped once, since the reference's
    /// asynchronous client sends them so (control-plane 0.3, trap 14). `null` is the same as leaving a field out.
    ///
    /// # Errors
    /// [`InvalidBody`], which names the field.
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody>;
}

/// A body whose fields are its type's: every body but the token endpoint's.
pub trait TypedBody: DeserializeOwned + JsonSchema {
    /// What no field can tell alone.
    ///
    /// # Errors
    /// [`InvalidBody`], which names the field to change.
    fn check(&self) -> Result<(), InvalidBody> {
        Ok(())
    }
}

impl<T: TypedBody> Body for T {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let body: Self = read(object(bytes)?)?;
        body.check()?;
        Ok(body)
    }
}

/// The object that a body is.
pub(crate) fn object(bytes: &[u8]) -> Result<serde_json::Map<String, Value>, InvalidBody> {
    let mut value = json(bytes)?;
    if let Value::String(inner) = &value {
        value = json(inner.as_bytes())?;
    }
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(InvalidBody::NotAnObject { path: String::new() }),
    }
}

fn json(bytes: &[u8]) -> Result<Value, InvalidBody> {
    serde_json::from_slice(bytes).map_err(|error| InvalidBody::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

/// The list that a body is. Nothing at all is an empty one: so the reference's client sends it (control-plane 0.3, trap 9).
pub(crate) fn list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, InvalidBody> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let mut value = json(bytes)?;
    if let Value::String(inner) = &value {
        value = json(inner.as_bytes())?;
    }
    match value {
        Value::Array(_) => read_value(value),
        _ => Err(InvalidBody::wrong("", "a list is needed")),
    }
}

pub(crate) fn read<T: DeserializeOwned>(members: serde_json::Map<String, Value>) -> Result<T, InvalidBody> {
    read_value(Value::Object(members))
}

fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, InvalidBody> {
    serde_path_to_error::deserialize(Json(value)).map_err(|error| {
        let path = dotted(error.path());
        error.into_inner().at(path)
    })
}

/// `spec.environmentVariables[0].name`. Names are the sender's: they are cut.
fn dotted(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.extend(key.chars().take(80));
            }
            // The choice of an enumeration is a value, and a value is not repeated.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_inside_a_string_is_unwrapped_once() {
        assert!(object(br#"{"a":1}"#).is_ok());
        assert!(object(br#""{\"a\":1}""#).is_ok());
        assert!(object(br#""\"{\\\"a\\\":1}\"""#).is_err());
        assert_eq!(
            object(b"[]").err(),
            Some(InvalidBody::NotAnObject { path: String::new() })
        );
        assert_eq!(
            object(b"{").err(),
            Some(InvalidBody::NotJson { line: 1, column: 1 })
        );
        assert!(object(b"").is_err());
    }
}
