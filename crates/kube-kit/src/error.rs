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

/// An error and its causes, joined by colons; causes that the text before already ends with are left out. A client's
/// error among them is told as [`describe`] does, and ends the chain.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    // The watcher's errors print their cause in full, twice.
    if let Some(watch) = error.downcast_ref::<kube::runtime::watcher::Error>()
        && let Some(cause) = std::error::Error::source(watch).and_then(|cause| cause.downcast_ref())
    {
        return describe(cause);
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = client(next).map_or_else(|| next.to_string(), describe);
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source().filter(|_| client(next).is_none());
    }
    text
}

fn client<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a kube::Error> {
    error
        .downcast_ref()
        .or_else(|| error.downcast_ref::<Box<kube::Error>>().map(|boxed| &**boxed))
}

/// Whether trying the same again later may succeed: anything but a refusal of the request itself.
pub fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 401 | 409 | 429) || status.code >= 500,
        _ => true,
    }
}
