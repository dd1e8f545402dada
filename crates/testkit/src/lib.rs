//! A real Kubernetes for tests, and what tests need around it. Development only: nothing that ships depends on it.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use reeve_testkit::{Tier, cluster};
//!
//! let Some(cluster) = cluster(Tier::Node).await else { return Ok(()) };
//! let namespace = cluster.namespace("example").await?;
//! let pods = cluster.kubectl().must(&["-n", &namespace, "get", "pods"])?;
//! # Ok(()) }
//! ```
//!
//! Guarantees: a cluster ends with the value that stands for it, with the test process, and when the test process is
//! killed; it leaves no process, mount, network device, control group or port. A test that cannot have its cluster
//! says `SKIPPED` on standard error, past the test runner's capture; with `TESTBED=require` it fails instead.
//!
//! [`ScriptedApiServer`] is no Kubernetes: it answers what a test says, for refusals and silences that a real API server does
//! not give on request.
//!
//! [`software_authenticator`] is no authenticator of anybody: it keeps passkeys in memory, and lies where a test wants it.
//!
//! Limits: pods reach each other, Services by address and name, their node and this machine, nothing else.

mod apply;
mod audit;
mod balancer;
mod cluster;
mod environment;
mod faults;
mod helm;
mod identity;
pub mod images;
mod keyring;
mod kubectl;
mod middle;
mod openshift;
mod passing;
mod pgbouncer;
mod postgres;
mod process;
mod python_packages;
pub mod scripted_api_server;
mod shown;
mod skip;
pub mod software_authenticator;
mod testbed;
mod tier;
mod wait;

pub use apply::apply_yaml;
pub use audit::AuditEvent;
pub use balancer::RoundRobin;
pub use cluster::{Cluster, Impersonate, Options, write_authentication};
pub use environment::{Database, database, is_whole};
pub use faults::{Fault, Faults};
pub use helm::{Helm, OPERATOR_ENVIRONMENT, SERVER_ENVIRONMENT, charts};
pub use identity::{IdentityProvider, identity_provider, saml_provider};
pub use keyring::{Keyring, keyring};
/// For tests of crates that have no client of Kubernetes themselves.
pub use kube;
pub use kubectl::Kubectl;
pub use middle::Middle;
pub use openshift::openshift_definitions;
pub use passing::{pass_on, refusal};
pub use pgbouncer::Pgbouncer;
pub use postgres::{Postgres, Template, own_postgres, postgres};
pub use process::{KillOnDrop, binary, output_with_input};
pub use python_packages::{reference_client, schemathesis};
pub use scripted_api_server::{Answer, ScriptedApiServer};
pub use shown::shown_certificate;
pub use skip::{
    cluster, not_on_postgres, own_cluster, own_cluster_or_reason, skip, skip_unasked, skip_without,
};
pub use testbed::{
    LaunchLine, Testbed, cert_manager, definitions_of_others, kserve, kueue, pod_security_fixtures,
};
pub use tier::Tier;
pub use wait::{wait_for, wait_until};
