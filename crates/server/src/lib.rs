//! The control plane: people, applications, organization, access rules and workloads over REST, and the link that carries
//! what follows from them to clusters.
//!
//! **Guarantees.** Every change is authorized, written with its audit event and each touched cluster's new revision in one
//! transaction, and effective on the next request. What a caller may not see is answered as if it were not there. No
//! secret is ever logged, and no header, query or body is.
//!
//! **Limits.** One process over SQLite or PostgreSQL; local users, service accounts, and people of identity providers that speak
//! OpenID Connect.

pub mod api;
pub mod app;
pub mod audit;
pub mod audit_log;
pub mod bootstrap;
pub mod bounds;
mod browser;
pub mod caller;
pub mod cli;
pub mod cluster_streams;
pub mod commit;
pub mod connections;
pub mod credential_keys;
pub mod database_flags;
pub mod directory;
pub mod drain_body;
pub mod error;
pub mod extract;
pub mod failures;
pub mod fence;
pub mod follow;
mod following;
pub mod guesses;
mod handler;
mod http_bounds;
mod idps;
pub mod installation;

pub mod keys;
pub mod link;
pub mod load;
pub mod logging;
mod lost;
pub mod master_key;
pub mod metrics;
pub mod metrics_listener;
pub mod middleware;
pub mod moving;
pub mod outgoing;
mod own_authenticator;
mod own_passkeys;
mod own_password;
mod passkey_sign_in;
pub mod permission_sets;
mod providers;
pub mod public_url;
mod recovery_codes;
mod refresh;
pub mod renewal;
pub mod reserve;
pub mod restored;
pub mod rotation;
pub mod router;
mod second_factor;
pub mod security;
pub mod serve;
pub mod sign_in;
pub mod sign_in_rate;
pub mod successes;
pub mod tls;
pub mod upkeep;
pub mod withdrawal;
