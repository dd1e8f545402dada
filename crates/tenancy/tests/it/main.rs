//! Tenancy without a cluster, and its rights on a real API server.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod forbidden;
mod mutants;
mod openshift;
mod project;
mod rendered;
mod rights;
mod switches;
