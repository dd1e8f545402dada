//! The one shape of every refusal: `{code, message}`, `application/json`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reeve_api::body::InvalidBody;
use reeve_api::list::InvalidQuery;
use reeve_api::{ComplianceIssue, ErrorBody, ErrorReason};
use reeve_store::StoreError;
use reeve_types::ErrorChain;

/// A closed set of cases in which one resource, or one part of the server, refuses a request. It stands beside the code that
/// refuses, and becomes an [`ApiError`] by `?` or `into`.
///
/// Its text is what the caller reads, whole: an error inside of it is part of the text and not a source.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// What kind of refusal it is.
    fn kind(&self) -> RefusalKind {
        RefusalKind::Invalid
    }
}

/// The statuses that a [`Refusal`] can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// 400: the request cannot be.
    Invalid,
    /// 403: known, and not allowed.
    Forbidden,
    /// 409: not as things stand.
    Conflict,
}

impl RefusalKind {
    const fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Conflict => StatusCode::CONFLICT,
        }
    }
}

/// Why a request is not done. Its text goes to the caller, except for [`ApiError::Internal`] and
/// [`ApiError::Unavailable`], whose causes go to the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400, 403 or 409: what the resource itself refuses.
    #[error("{0}")]
    Refused(Box<dyn Refusal>),
    /// 400: a body that cannot be.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// 400: a query string that cannot be.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// 400: a part of the address is too long.
    #[error("the {what} is too long: at most {limit} bytes are possible")]
    AddressTooLong {
        /// Which part.
        what: &'static str,
        /// How many are possible.
        limit: usize,
    },
    /// 400: a workload that workload policies do not allow.
    #[error("{}", not_compliant(.0))]
    NotCompliant(Vec<ComplianceIssue>),
    /// 401: no valid token. The reason is for the caller too: it says nothing of anybody else.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// 401: a token that is not good, or not for us.
    #[error(transparent)]
    Token(reeve_identity::InvalidToken),
    /// 403: the session is good for choosing a password alone.
    #[error(
        "your password is a temporary one: choose another first, by `POST /api/v1/me/password`, on the sign-in page or with \
         `reeve login user -u EMAIL`"
    )]
    TemporaryPassword,
    /// 404: not there, or not to be seen: the same words.
    #[error("{what} `{id}` does not exist, or you may not see it")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// 404: no operation has this path.
    #[error("no operation has this path")]
    NoRoute,
    /// 405: the path has no operation with this method.
    #[error("this path has no operation with this method")]
    NoMethod,
    /// 409: the store does not take it beside what is there.
    #[error(transparent)]
    Conflict(StoreError),
    /// 413: too much.
    #[error("the request body is too large: at most {limit} bytes are possible")]
    TooLarge {
        /// How many are possible.
        limit: usize,
    },
    /// 429: too often.
    #[error("{what}: wait {after} s, and {instead}")]
    TooMany {
        /// What was too often, of whom.
        what: &'static str,
        /// After how many seconds it is taken again: `Retry-After`.
        after: i64,
        /// What to do instead.
        instead: &'static str,
    },
    /// 431: too much before the body.
    #[error("the headers are too large: at most {limit} bytes are possible in all")]
    HeadersTooLarge {
        /// How many are possible.
        limit: usize,
    },
    /// 503: not now.
    #[error("{0}")]
    Unavailable(&'static str),
    /// 503: undone, since others changed something at the same time, again and again.
    #[error("others are changing the same at this moment: try again in a moment")]
    Again,
    /// 503: nothing can be written, except what takes rights away.
    #[error(
        "the control plane's disk is full: until there is room only deletions, sign-outs, new passwords and secrets, and \
         disabling are possible"
    )]
    Full,
    /// 500: a fault here.
    #[error(
        "something went wrong here; the log says what, under the request id of the header `x-request-id`"
    )]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// 401: of a token that was good.
    pub const SIGNED_OUT: Self = Self::Unauthenticated("the token's subject is gone, disabled or signed out");

    /// 404 for a thing that is not there or not to be seen.
    pub fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string().chars().take(80).collect(),
        }
    }

    /// 500 with its cause for the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.kind().status(),
            Self::Body(_) | Self::Query(_) | Self::AddressTooLong { .. } | Self::NotCompliant(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthenticated(_) | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::TemporaryPassword => StatusCode::FORBIDDEN,
            Self::NotFound { .. } | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unavailable(_) | Self::Again | Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer.
    pub fn body(&self) -> ErrorBody {
        let mut body = ErrorBody::new(self.status().as_u16(), self.to_string());
        match self {
            Self::NotCompliant(issues) => body.compliance_issues = Some(issues.clone()),
            Self::TemporaryPassword => body.reason = Some(ErrorReason::TemporaryPassword),
            _ => {}
        }
        body
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        match &self {
            Self::TooMany { after, .. } => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(*after));
            }
            Self::Unavailable(_) | Self::Again | Self::Full => {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Unauthenticated(_) | Self::Token(_) => {
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Internal(source) => log_chain(source.as_ref()),
            _ => {}
        }
        response
    }
}

fn not_compliant(issues: &[ComplianceIssue]) -> String {
    let said: Vec<String> = issues
        .iter()
        .map(|issue| format!("`spec.{}`: {}", issue.field, issue.details))
        .collect();
    said.join("; ")
}

/// Reports a cause once, as a chain.
pub fn log_chain(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error = %ErrorChain(error), "an operation failed");
}

impl<R: Refusal> From<R> for ApiError {
    fn from(refusal: R) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. }
            | StoreError::EmailRests { .. }
            | StoreError::NamespaceOfOthers { .. }
            | StoreError::ProjectFull { .. }
            | StoreError::ScopeFull { .. }
            | StoreError::AssetsFull { .. }
            | StoreError::RoleInUse { .. }
            | StoreError::RolesFull { .. }
            | StoreError::ProvidersFull { .. }
            | StoreError::AccessKeysFull { .. }
            | StoreError::PasskeysFull { .. }
            | StoreError::UidTaken(_)
            | StoreError::UidInUse { .. }
            | StoreError::LastAdministrator => Self::Conflict(error),
            StoreError::Full { .. } => Self::Full,
            StoreError::Again { .. } => Self::Again,
            StoreError::Unavailable { .. } => {
                log_chain(&error);
                Self::Unavailable("the database is not available: try again in a moment")
            }
            StoreError::NotFound { what, id } => Self::NotFound { what, id },
            other => Self::internal(other),
        }
    }
}
