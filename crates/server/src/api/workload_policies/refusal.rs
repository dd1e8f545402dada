//! What is refused of workload policies, and in which words.

use reeve_types::workload_policy::{InvalidPolicy, ScopeType};

use crate::error::Refusal;

/// Why there is no such workload policy: 400. `at` is what stands before the names of the ids, `meta.` in a body and nothing in a
/// query.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkloadPolicyRefusal {
    /// An id that says nothing of a scope of this type.
    #[error("`{at}{id}` does not belong to the scope `{}`: leave it out", .scope.as_str())]
    IdOfAnotherScope {
        at: &'static str,
        id: &'static str,
        scope: ScopeType,
    },
    /// The id that a scope of this type has.
    #[error("`{at}{id}` is missing: the scope `{}` needs it", .scope.as_str())]
    IdMissing {
        at: &'static str,
        id: &'static str,
        scope: ScopeType,
    },
    /// A scope without its id.
    #[error("`{at}scope`: an id of the scope is missing")]
    NoId { at: &'static str },
    /// A policy that does not go together with itself or with those above and below it.
    #[error("`policy.{}`: {}", .0.path, .0.problem)]
    Policy(InvalidPolicy),
}

impl Refusal for WorkloadPolicyRefusal {}
