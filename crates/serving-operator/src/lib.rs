//! The operator of the model-serving kinds: reads them and what they became, lets [`reeve_serving`] decide, writes what differs.
//!
//! | module | what |
//! |---|---|
//! | [`args`], [`run`], [`telemetry`] | the command line, the process |
//! | [`controllers`] | what wakes each controller, and what a pass of it looks at |
//! | `pass` | what every pass ends in: apply, status, events |
//! | `caches`, `foreign`, `look` | what is read: copies of objects, logs, events |
//! | [`registry`], `secrets`, `asked` | what registries are asked, with which credentials, and how often |
//! | `owned`, `applied` | what an earlier apply set and is no longer wanted |
//! | `write` | server-side apply without force, status and finalizers by merge patch |
//!
//! **Promises.** Of Secrets only pull secrets are read, by name, where a model or a source that a registry is asked about references
//! them; what is in one is in no status, event, log or error. A pass over what is as it should be writes nothing. What a person wrote is
//! never written back whole. A field that somebody else owns is not taken: that is told as a conflict.

mod applied;
pub mod args;
mod asked;
mod caches;
mod config;
pub mod controllers;
mod foreign;
mod http;
mod look;
mod owned;
mod pass;
pub mod registry;
pub mod run;
mod secrets;
mod shared;
pub mod telemetry;
mod write;

pub use shared::{Settings, Shared};
