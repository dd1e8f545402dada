//! The controllers, a file each: what wakes it, what a pass reads, decides and writes.
//!
//! A controller knows the caches and the shared state that it reads, and neither the link nor what another controller does. Its
//! `controller` function and its pure decisions are all that others see of it; [`add_all`] lists them.

pub mod access_rule;
pub mod credentials;
pub mod limit_range;
pub mod pod_identities;
pub mod policies;
pub mod project;
pub mod secrets;
pub mod settings;
pub mod workload;

use prometheus_client::registry::Registry as Metrics;
use reeve_kube_kit::Registry;

use crate::shared::Shared;

/// Every controller of this operator: a new one is a line here.
pub fn add_all(registry: &mut Registry, shared: &Shared, metrics: &mut Metrics) {
    registry.add(project::controller(shared));
    registry.add(access_rule::controller(shared));
    registry.add(workload::controller(shared));
    registry.add(pod_identities::controller(shared));
    registry.add(secrets::controller(shared));
    registry.add(credentials::controller(shared));
    registry.add(settings::controller(shared, metrics));
    let limit_ranges = limit_range::controller(shared, registry);
    registry.add(limit_ranges);
    let policies = policies::controller(shared, registry, metrics);
    registry.add(policies);
}
