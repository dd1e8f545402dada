//! The definitions as text, and the conversions.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod api_server;
mod convert;
mod definitions;
