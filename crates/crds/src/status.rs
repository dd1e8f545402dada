//! What the statuses of all kinds share.

use reeve_link::StatusPhase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The phase of an object: the words of the link and of the reference's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Accepted, nothing made yet.
    Creating,
    /// All made.
    Ready,
    /// Something is in the way; the message says what.
    NotReady,
    /// A workload whose pod waits.
    Pending,
    /// A workload whose pod runs.
    Running,
    /// A workload that ended well.
    Completed,
    /// A workload that ended badly.
    Failed,
}

impl Phase {
    /// True when a workload in this phase will never run again.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

impl From<Phase> for StatusPhase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Creating => Self::Creating,
            Phase::Ready => Self::Ready,
            Phase::NotReady => Self::NotReady,
            Phase::Pending => Self::Pending,
            Phase::Running => Self::Running,
            Phase::Completed => Self::Completed,
            Phase::Failed => Self::Failed,
        }
    }
}
