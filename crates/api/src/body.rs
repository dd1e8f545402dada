//! Request bodies: from bytes to checked values.

mod object;

use serde_json::Value;

pub(crate) use object::Object;

/// Why a request body is refused, always with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// No JSON at all.
    #[error("the request body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
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
        /// Which.
        path: String,
    },
    /// A field that the operation does not know.
    #[error("`{path}` is not a field of this request")]
    Unknown {
        /// Which.
        path: String,
    },
    /// A field of the reference that this version does not honour, with a value that asks for something.
    #[error("`{path}` is not supported yet: leave it out")]
    Unsupported {
        /// Which.
        path: String,
    },
    /// A field with a value that cannot be.
    #[error("`{path}`: {problem}")]
    Wrong {
        /// Which.
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
}

/// A request body that knows how to read itself.
pub trait Body: Sized {
    /// Whether it holds credentials: then it is sent before anybody is known, and is small.
    const CREDENTIALS: bool = false;

    /// Reads and checks it. Bodies that are JSON text inside a JSON string are unwrapped, since the reference's
    /// asynchronous client sends them so (control-plane 0.3, trap 14).
    ///
    /// # Errors
    /// [`InvalidBody`], which names the field.
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody>;
}

/// The top-level object of a body.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, InvalidBody> {
    let mut value: Value = json(bytes)?;
    if let Value::String(inner) = &value {
        value = json(inner.as_bytes())?;
    }
    Object::new(String::new(), value)
}

fn json(bytes: &[u8]) -> Result<Value, InvalidBody> {
    serde_json::from_slice(bytes).map_err(|error| InvalidBody::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_inside_a_string_is_unwrapped_once() {
        assert!(object(br#"{"a":1}"#).is_ok());
        assert!(object(br#""{\"a\":1}""#).is_ok());
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
