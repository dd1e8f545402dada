//! Whether a workload's own container is ready.

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use reeve_crds::desired::ReadinessProbe;

use crate::number;

/// A request to the container itself: a host is never named, since the node would ask it (R6).
pub(crate) fn readiness(probe: &ReadinessProbe) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: probe.path.clone(),
            port: IntOrString::Int(i32::from(probe.port)),
            scheme: probe.https.then(|| "HTTPS".to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: probe.initial_delay_seconds.map(number),
        period_seconds: probe.period_seconds.map(number),
        timeout_seconds: probe.timeout_seconds.map(number),
        success_threshold: probe.success_threshold.map(number),
        failure_threshold: probe.failure_threshold.map(number),
        ..Probe::default()
    }
}
