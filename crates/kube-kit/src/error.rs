//! What went wrong, and when to try again.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// When a failed pass is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Soon, and later each time: the cause may pass by itself.
    Backoff,
    /// After this long: what is waited for tells nobody when it comes.
    After(Duration),
    /// Only when something changes: trying again would give the same.
    OnChange,
}

/// An error of a reconciler.
pub trait ReconcileError: Error {
    /// One CamelCase word for conditions, events and metrics.
    fn reason(&self) -> &'static str;
    /// When to try again.
    fn retry(&self) -> Retry;
}

/// A request to the API server that failed, told for people: the API server's own words are kept, those of the client,
/// which repeat their causes, are not.
#[derive(Debug)]
pub enum ClientError {
    /// What the client says: a refusal of the API server, or that it was not reached.
    Client(Box<kube::Error>),
    /// No answer came within this time. Whether the API server did what was asked is not known.
    Late(Duration),
}

impl ClientError {
    /// The HTTP status of a refusal; `None` when the API server did not answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Client(error) => match &**error {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Late(_) => None,
        }
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Client(error) if matches!(&**error, kube::Error::Api(status) if status.is_not_found()))
    }

    /// Whether an object of that name is there already.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::Client(error) if matches!(&**error, kube::Error::Api(status) if status.is_already_exists()))
    }

    /// Whether RBAC refuses it. A refusal of admission, which has the same code, speaks of no verb.
    pub fn is_without_right(&self) -> bool {
        matches!(self, Self::Client(error) if matches!(&**error, kube::Error::Api(status)
            if status.code == 403 && status.message.contains(" cannot ") && status.message.contains("in API group")))
    }

    /// Whether trying the same again later may succeed: anything but a refusal of the request itself.
    pub fn is_transient(&self) -> bool {
        self.status()
            .is_none_or(|code| matches!(code, 401 | 409 | 429) || code >= 500)
    }
}

impl From<kube::Error> for ClientError {
    fn from(error: kube::Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl Display for ClientError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(after) => write!(f, "the API server did not answer within {after:?}"),
            Self::Client(error) => match &**error {
                kube::Error::Api(status) => {
                    write!(
                        f,
                        "the API server refused with {}: {}",
                        status.code, status.message
                    )
                }
                // The client's own text repeats its source, which is ours here.
                other if other.source().is_some() => f.write_str("cannot reach the API server"),
                other => write!(f, "cannot reach the API server: {other}"),
            },
        }
    }
}

impl Error for ClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Client(error) if !matches!(**error, kube::Error::Api(_)) => error.source(),
            _ => None,
        }
    }
}
