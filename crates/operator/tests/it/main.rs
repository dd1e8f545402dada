//! The operator: its logic without a cluster, and the whole of it on a real API server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod cluster;
mod log;
mod pure;
mod rig;
mod scripted_api_server;
mod scripted_link;
