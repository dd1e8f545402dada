//! The conformance suite on SQLite, and what only SQLite has to show.

mod sqlite;
mod tampering;
