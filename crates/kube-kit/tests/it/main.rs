//! The kit, mostly without a cluster; the cache and the lease on a real API server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod apply;
mod cache;
mod condition;
mod lease;
mod queue;
mod scripted_api_server;
mod serve;
mod watch;
