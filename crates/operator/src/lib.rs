//! `reeve-operator`: makes one cluster obey.
//!
//! ```text
//!  control plane ──link──▶ custom resources ──controllers──▶ namespaces, RoleBindings, Jobs
//!        ▲                                                        │
//!        └──────────────── status outbox ◀───────────────────────-┘
//! ```
//!
//! [`link`] writes what the control plane desires as custom resources and nothing else; the [`controllers`] read custom
//! resources and nothing else, and know nothing of the link. So the operator goes on enforcing when cut off, and a cluster can
//! be run from Git. Each controller works in steps: dereference → validate → build → apply → status; validate and build are
//! pure, and tested without a cluster. At rest nothing is written.
//!
//! Between them: [`caches`], what is read; [`projects`], the index of projects and rules and the news of it;
//! [`cluster`], what is known of the cluster as a whole; [`status_outbox`], news for the control plane. [`shared`] holds them
//! while everything is built.
//!
//! **Deliberately absent.** It reads no Secret but those that are for projects ([`secret_sources`]), never deletes a namespace, never writes a policy, never makes a Job
//! that is gone again, and puts no finalizer on anything: what a deleted project leaves is found by its labels.

pub mod args;
pub mod authors;
pub mod cached;
pub mod caches;
pub mod cluster;
pub mod cluster_configs;
pub mod controllers;
pub mod credentials;
pub mod fingerprint;
pub mod limit_ranges;
pub mod link;
mod namespace_locks;
pub mod ownership;
pub mod prerequisites;
pub mod project_index;
pub mod projects;
mod rights;
pub mod run;
pub mod secret_copies;
pub mod secret_reports;
pub mod secret_sources;
pub mod settings;
mod setup;
pub mod shared;
pub mod slim;
pub mod status_outbox;
pub mod telemetry;

/// The field manager of everything the controllers write.
pub const MANAGER: &str = "reeve-operator";
/// The field manager of the custom resources the link writes.
pub const LINK_MANAGER: &str = "reeve-link";
/// The version in hello and settings.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
