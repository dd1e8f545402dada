//! What keeps a namespace from being adopted.

use serde::Serialize;

/// What is in the way, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// What.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Obstacle {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}
