//! Everything that `reeve-authz` promises, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails; the helpers stand outside of #[test] functions"
)]

mod decisions;
mod denials;
mod lists;
mod oracle;
mod people;
mod planted;
mod rights;
mod sequences;
mod world;
