//! What a type says of a value that it does not take.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

use super::InvalidBody;

/// A refusal that does not know yet where it is. Built from what serde reports as values (names of fields, choices), never
/// from its sentences, which may change with a release and may hold what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The member of this name is absent; without a name, the value itself.
    Missing(&'static str),
    /// The last name of the path is none of the type's.
    Unknown,
    /// No value that asks for something is possible here.
    Unsupported,
    NotAnObject,
    /// What is needed.
    Wrong(String),
}

impl Problem {
    pub(super) fn needs(what: impl Display) -> Self {
        Self::Wrong(format!("{what} is needed"))
    }

    /// One of these words.
    pub(super) fn needs_one_of(words: &[&str]) -> Self {
        let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        match quoted.as_slice() {
            [one, other] => Self::needs(format_args!("{one} or {other}")),
            [one] => Self::needs(one),
            _ => Self::needs(format_args!("one of {}", quoted.join(", "))),
        }
    }

    /// At its place.
    pub(super) fn at(self, path: String) -> InvalidBody {
        match self {
            Self::Missing("") => InvalidBody::Missing { path },
            Self::Missing(name) if path.is_empty() => InvalidBody::Missing {
                path: name.to_owned(),
            },
            Self::Missing(name) => InvalidBody::Missing {
                path: format!("{path}.{name}"),
            },
            Self::Unknown => InvalidBody::Unknown { path },
            Self::Unsupported => InvalidBody::Unsupported { path },
            Self::NotAnObject => InvalidBody::NotAnObject { path },
            Self::Wrong(problem) => InvalidBody::Wrong { path, problem },
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().at(String::new()).fmt(f)
    }
}

impl std::error::Error for Problem {}

impl Error for Problem {
    /// The words of a type of ours.
    fn custom<T: Display>(message: T) -> Self {
        Self::Wrong(message.to_string())
    }

    fn invalid_type(_found: Unexpected<'_>, _expected: &dyn Expected) -> Self {
        Self::needs("another kind of value")
    }

    fn invalid_value(_found: Unexpected<'_>, _expected: &dyn Expected) -> Self {
        Self::needs("another value")
    }

    fn invalid_length(_length: usize, _expected: &dyn Expected) -> Self {
        Self::needs("another number of items")
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        if expected.is_empty() {
            Self::Unsupported
        } else {
            Self::needs_one_of(expected)
        }
    }

    fn unknown_field(_field: &str, _expected: &'static [&'static str]) -> Self {
        Self::Unknown
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(_field: &'static str) -> Self {
        // Two spellings of one field: JSON itself keeps the last of two equal names.
        Self::Wrong("this field is given under two names".to_owned())
    }
}
