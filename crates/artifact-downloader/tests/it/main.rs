//! The downloader as a process, against stand-ins of the Hub, of S3 and of the API server in this process.
#![expect(
    unused_crate_dependencies,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod claim;
mod failures;
mod hub;
mod progress;
mod rig;
mod s3;
