//! Bodies that many operations answer with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of every 4xx and 5xx answer (control-plane 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The HTTP status once more.
    pub code: u16,
    /// What was refused or went wrong, on what, and the remedy.
    pub message: String,
    /// More for those who look closer; absent when there is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// What of a workload a workload policy does not allow; absent where it is not about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance_issues: Option<Vec<ComplianceIssue>>,
    /// What kind of refusal it is, for programs that do something about it; absent where the status says all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ErrorReason>,
}

/// A refusal that programs do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorReason {
    /// The session began with a temporary password: the caller has to choose another one (`POST /api/v1/me/password`).
    TemporaryPassword,
    /// One that this version does not know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// Something of a workload that a workload policy does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComplianceIssue {
    /// The field, below `spec`.
    pub field: String,
    /// What it may be, and by whose policy.
    pub details: String,
    /// The rule that it breaks: `min`, `max`, `step`, `options` or `canEdit`.
    pub rule: String,
}

impl ErrorBody {
    /// A body without details.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            compliance_issues: None,
            reason: None,
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
