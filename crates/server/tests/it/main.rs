//! The server from outside: the real router over SQLite in a fresh directory, or PostgreSQL in a
//! fresh database (`DATABASE=postgres`), a clock that stands still, seeded ids.
//! Whole answers are shown in the snapshots.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are test code"
)]

mod access_keys;
mod access_rules;
mod audit;
mod batches;
mod closure;
mod cluster_states;
mod clusters;
mod compat;
mod concurrency;
mod connections;
mod contract;
mod credential_rotation;
mod credentials;
mod custom_roles;
mod database;
mod delegation;
mod departments;
mod documents;
mod faults;
mod floods;
mod followed;
mod full_disk;
mod guessing;
mod hiding;
mod identity;
mod installing;
mod keys;
mod link;
mod link_credential;
mod link_isolation;
mod link_pressure;
mod lists;
mod losses;
mod metrics;
mod moving;
mod numbers;
mod offboarding;
mod openapi;
mod passkeys;
mod people;
mod policies;
mod postgres;
mod postgres_faults;
mod process;
mod projects;
mod questions;
mod refresh_tokens;
mod replicas;
mod restart;
mod restored;
mod routes;
mod schemathesis;
mod second_factor;
mod secret_assets;
mod secret_volumes;
mod secrets;
mod server;
mod service_accounts;
mod sessions;
mod successes;
mod temporary_passwords;
mod tokens;
mod week_away;
mod wide;
mod withdrawal;
mod workloads;
mod wrong_input;
