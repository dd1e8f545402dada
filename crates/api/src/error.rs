//! Bodies that many operations answer with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of every 4xx and 5xx answer (control-plane 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The HTTP status once more.
    pub code: u16,
    /// What was refused or went wrong, on what, and the remedy.
    pub message: String,
    /// More for those who look closer; absent when there is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl ErrorBody {
    /// A body without details.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
        }
    }
}

/// The body of a 202 answer: `HttpResponse` of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The HTTP status once more.
    pub code: u16,
    /// What was accepted.
    pub message: String,
}

/// The answer of every `/count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// How many the caller may see.
    pub count: u64,
}
