//! The operations: one file each, with its handler and what it answers.

pub mod access_keys;
pub mod access_rules;
mod assets;
pub mod audit_logs;
pub mod authorization;
pub mod clusters;
pub mod credentials;
pub mod custom_roles;
mod deletion;
pub mod departments;
pub mod documents;
pub mod health;
pub mod idps;
pub mod me;
pub mod offboarding;
pub mod projects;
pub mod realm;
pub mod roles;
pub mod secret_assets;
pub mod security_settings;
pub mod service_accounts;
pub mod signing_keys;
pub mod tenant_settings;
pub mod token;
pub mod users;
pub mod workload_policies;
pub mod workloads;
