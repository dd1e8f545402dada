//! Reeve's admission rules as a webhook, for API servers that cannot fill in by policy (Kubernetes 1.30 to 1.35).
//!
//! It judges by the predicates of `reeve-admission` and fills in by its [`reeve_admission::fill`]: the same values as the
//! policies, which no cluster has installed at the same time. It keeps nothing: what a verdict depends on beside the request
//! (settings of the namespace, whose a pod is) is read from the API server for each request.
//!
//! Guarantees: whatever cannot be read or understood is refused (`failurePolicy: Fail` does the rest); it has no effect, so a
//! dry run and a second asking are what the first was; a request has a bounded body and a bounded time.
//!
//! Limits: whoever reaches its port can ask it, as of every webhook; its answers name rules, and nothing of the cluster.

pub mod args;
pub mod cluster;
pub mod review;
pub mod serve;
pub mod verdict;
