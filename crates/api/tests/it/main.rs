//! Snapshots of what must not change unseen; bodies and the OpenAPI document against each other.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code"
)]

mod bodies;
mod openapi;
mod rights;
mod shapes;
mod stored;
