//! The kit, mostly without a cluster; the cache and the lease on a real API server.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod apply;
mod cache;
mod condition;
mod lease;
mod queue;
mod scripted_api_server;
mod serve;
