//! The one shape of every refusal: `{code, message}`, `application/json`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reeve_api::ErrorBody;
use reeve_api::body::InvalidBody;
use reeve_api::list::InvalidQuery;
use reeve_authz::Denial;
use reeve_store::StoreError;
use reeve_types::ErrorChain;

/// Why a request is not done. Its text goes to the caller, except for [`ApiError::Internal`] and
/// [`ApiError::Unavailable`], whose causes go to the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: the request cannot be.
    #[error("{0}")]
    Invalid(String),
    /// 401: no valid token. The reason is for the caller too: it says nothing of anybody else.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// 401: a token that is not good, or not for us.
    #[error(transparent)]
    Token(reeve_identity::InvalidToken),
    /// 403: known, and not allowed.
    #[error("{0}")]
    Forbidden(String),
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
    /// 409: taken.
    #[error("{0}")]
    Conflict(String),
    /// 413: too much.
    #[error("the request body is too large: at most {limit} bytes are possible")]
    TooLarge {
        /// How many are possible.
        limit: usize,
    },
    /// 429: too often.
    #[error("{0}")]
    TooMany(&'static str),
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
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unavailable(_) | Self::Again | Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer.
    pub fn body(&self) -> ErrorBody {
        ErrorBody::new(self.status().as_u16(), self.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        match &self {
            Self::Unavailable(_) | Self::Again | Self::TooMany(_) | Self::Full => {
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

/// Reports a cause once, as a chain.
pub fn log_chain(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error = %ErrorChain(error), "an operation failed");
}

impl From<InvalidBody> for ApiError {
    fn from(error: InvalidBody) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InvalidQuery> for ApiError {
    fn from(error: InvalidQuery) -> Self {
        Self::Invalid(error.to_string())
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
            | StoreError::UidTaken(_)
            | StoreError::UidInUse { .. }
            | StoreError::LastAdministrator => Self::Conflict(error.to_string()),
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

/// 403 that says what is missing and who could grant it.
pub fn forbidden(denial: &Denial, name: impl Fn(reeve_authz::Scope) -> String) -> ApiError {
    ApiError::Forbidden(denial.explanation_with(name))
}
