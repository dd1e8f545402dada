//! `reeve-operator`: makes one cluster obey.
//!
//! ```text
//!  control plane ──link──▶ custom resources ──controllers──▶ namespaces, RoleBindings, Jobs
//!        ▲                                                        │
//!        └──────────────── status board ◀────────────────────────-┘
//! ```
//!
//! [`link`] writes what the control plane desires as custom resources and nothing else; the controllers ([`project`],
//! [`rule`], [`workload`], [`identities`], [`config`], [`policies`]) read custom resources and nothing else. So it goes on enforcing
//! when cut off, and a cluster can be run from Git. Each controller works in steps: dereference → validate → build →
//! apply → status; validate and build are pure, and tested without a cluster. At rest nothing is written.
//!
//! **Deliberately absent.** It never reads a Secret, never deletes a namespace, never writes a policy, never makes a Job
//! that is gone again, and puts no finalizer on anything: what a deleted project leaves is found by its labels.

pub mod args;
pub mod board;
pub mod config;
pub mod identities;
pub mod link;
pub mod org;
pub mod policies;
pub mod project;
pub mod rule;
pub mod run;
pub mod slim;
pub mod status;
pub mod telemetry;
mod watches;
pub mod workload;
pub mod world;

/// The field manager of everything the controllers write.
pub const MANAGER: &str = "reeve-operator";
/// The field manager of the custom resources the link writes.
pub const LINK_MANAGER: &str = "reeve-link";
/// The version in hello and settings.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
