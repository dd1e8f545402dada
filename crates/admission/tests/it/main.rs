//! The checks of admission, without a cluster and on a real API server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stop the test they help, and JSON is read by index"
)]

mod case_table;
mod filled_in;
mod fixture;
mod git_ops;
mod grid;
mod injectors;
mod issuer;
mod kueue;
mod mesh;
mod mutants;
mod named;
mod offline;
mod ordinary;
mod random;
mod remedies;
mod restricted;
mod roads;
mod table;
mod test_cluster;
mod third_party;
mod tokens;
mod types;
mod volumes;
mod webhook;
mod written_again;
