//! The conformance suite on SQLite and on PostgreSQL, and what only one of them has to show.

#![expect(clippy::unwrap_used, reason = "helpers of tests are test code")]

mod bounds;
mod chain;
mod folded;
mod forgetting;
mod order;
mod postgres;
mod postgres_faults;
mod sqlite;
mod tampering;
mod upgrade;
mod version_30;
mod version_8;
