//! Who a pod runs as: the identity of a person on its road into a container, and the rules that close every way round.
//!
//! Everything here is pure: text and JSON in, text and verdicts out. The policies are static objects of the chart, run
//! by the API server itself; [`check::CHECKS`] holds every check once, as CEL for the API server and as a Rust
//! predicate for everybody else, and the tests of this crate compare the two on a real API server.
//!
//! The feature `testing`, which no program has, adds what renders weakened policies and pods that are as they should be.
//!
//! What this does not do: it cannot guard the policy objects themselves (RBAC does, R1), it does not look at volumes'
//! content, and a connection to the kubelet itself, past the API server, it does not see.

mod adopting;
pub mod authentication;
mod cel;
pub mod check;
mod entries;
pub mod identity;
mod kinds;
pub mod mutate;
mod plain;
pub mod policies;
mod predict;
pub mod request;
mod view;
pub mod webhooks;

pub use authentication::authentication_configuration_yaml;
pub use check::{Check, Policy, Rule, check, checks, failing, is_marked_claim};
pub use identity::{Identity, InvalidStamp, Stamp};
pub use kinds::{Place, places as template_places};
pub use mutate::fill;
pub use policies::{GRANTED_FIELDS, SHORTCUTS, plain_faults, policies, policies_yaml};
#[cfg(any(test, feature = "testing"))]
pub use policies::{policies_with_fault, policies_with_gap};
pub use predict::{has_ended, new_pod, new_pods, stands_for_itself, unscheduled};
pub use reeve_types::TemplateKind;
/// The words of Kubernetes, of which the policies are put together.
pub use reeve_types::kubernetes as names;
pub use request::{Operation, Parameters, Request, User};
pub use view::PLACEMENT_FIELDS;

/// A value as YAML. What the YAML writer cannot do is written as JSON, which is YAML too: no value is lost.
fn yaml_text(value: &serde_json::Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value}\n"))
}
