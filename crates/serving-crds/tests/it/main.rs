//! The definitions as text and on a real API server, and what reading makes of unset and zero values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod api_server;
mod definitions;
mod objects;
mod reading;
