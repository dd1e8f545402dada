//! The kit, mostly without a cluster; the mirror and the lease on a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod apply;
mod condition;
mod lease;
mod mirror;
mod queue;
mod serve;
