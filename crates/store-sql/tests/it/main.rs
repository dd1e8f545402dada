//! The conformance suite on SQLite, and what only SQLite has to show.

#![expect(clippy::unwrap_used, reason = "helpers of tests are test code")]

mod chain;
mod forgetting;
mod order;
mod sqlite;
mod tampering;
mod upgrade;
