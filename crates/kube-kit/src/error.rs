//! What went wrong, and when to try again.

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
pub trait Reconcile: std::error::Error {
    /// One CamelCase word for conditions, events and metrics.
    fn reason(&self) -> &'static str;
    /// When to try again.
    fn retry(&self) -> Retry;
}

/// A client's error in one sentence. The API server's own words are kept: they are written for people.
pub fn describe(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => {
            format!("the API server refused with {}: {}", status.code, status.message)
        }
        other => format!("cannot reach the API server: {}", chain(other)),
    }
}

/// An error and its causes, joined by colons; causes that the text before already ends with are left out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source();
    }
    text
}

/// Whether trying the same again later may succeed: anything but a refusal of the request itself.
pub fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 401 | 409 | 429) || status.code >= 500,
        _ => true,
    }
}
