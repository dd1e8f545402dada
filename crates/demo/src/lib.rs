//! The whole of Reeve on one machine: a real Kubernetes, the server on SQLite or PostgreSQL, the operator under its own rights.
//!
//! [`Road::up`] puts the parts together as `docs/install.md` tells an administrator to; the demo, the end-to-end tests
//! and the benches drive the same road. Everything listens on loopback and ends with the [`Road`].

pub mod file;
pub mod organization;
pub mod process;
pub mod rest;
pub mod road;
pub mod servers;
pub mod story;

pub use organization::{Application, Organization, Person};
pub use process::Process;
pub use rest::{Answer, Rest};
pub use road::{ADMINISTRATOR, Options, Road};
pub use servers::{Database, Replica, blocking};

/// Makes aws-lc-rs the one crypto provider of this process. Calling it again does nothing.
pub fn install_crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
