//! The whole of Reeve on one machine: a real Kubernetes, the server on SQLite or PostgreSQL, the operator under its own rights.
//! Development only: the demo, the end-to-end tests (`tests/it`), the operator's tests and the benches use it.
//!
//! [`Stack::up`] puts the parts together as `docs/install.md` tells an administrator to. Everything listens on loopback and
//! ends with the [`Stack`]. What others need of that apart is here once: the chart ([`install_chart`]), kubeconfigs
//! ([`kubeconfig`]), programs that announce themselves ([`Process`]), and which rights a log shows in use ([`unused_rights`]).

mod arguments;
pub mod cert_manager;
mod command_line;
pub mod in_pods;
mod install;
mod kubeconfig;
pub mod model_serving;
pub mod organization;
pub mod process;
pub mod rest;
pub mod servers;
pub mod simulated;
pub mod stack;
mod unused;
mod webhook;

pub use arguments::ADMINISTRATOR;
pub use command_line::CommandLine;
pub use install::install_chart;
pub use kubeconfig::{kubeconfig, write_private};
pub use organization::{Application, Organization, Person};
pub use process::Process;
pub use rest::{Answer, Rest};
pub use servers::{Database, Replica, blocking};
pub use stack::{OperatorOf, Options, Stack};
pub use unused::unused as unused_rights;
pub use webhook::Webhook;

/// Makes aws-lc-rs the one crypto provider of this process. Calling it again does nothing.
pub fn install_crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
