//! The control plane: people, applications, organization, access rules and workloads over REST, and the link that carries
//! what follows from them to clusters.
//!
//! **Guarantees.** Every change is authorized, written with its audit event and each touched cluster's new revision in one
//! transaction, and effective on the next request. What a caller may not see is answered as if it were not there. No
//! secret is ever logged, and no header, query or body is.
//!
//! **Limits.** One process over SQLite or PostgreSQL; local users and service accounts only.

pub mod api;
pub mod app;
pub mod audit;
pub mod audit_log;
pub mod bootstrap;
pub mod bounds;
pub mod caller;
pub mod cli;
pub mod cluster_streams;
pub mod commit;
pub mod connections;
pub mod database_flags;
pub mod directory;
pub mod drain_body;
pub mod error;
pub mod extract;
pub mod failures;
pub mod fence;
pub mod follow;
mod handler;

pub mod keys;
pub mod link;
pub mod load;
pub mod logging;
mod lost;
pub mod master_key;
pub mod metrics;
pub mod middleware;
pub mod moving;
pub mod public_url;
pub mod reserve;
pub mod restored;
pub mod rotation;
pub mod router;
pub mod security;
pub mod serve;
pub mod sign_in;
pub mod tls;
pub mod upkeep;
