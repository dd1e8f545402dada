//! What serves: the InferenceService with its pods and autoscaler, and the HTTPRoute.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use reeve_serving_crds::{
    AimRuntimeConfigSpec, AimServiceSpec, AimServiceStatus, AimServiceTemplateStatus, CachedArtifact,
    RoutingStatus,
};
use serde_json::Value;

use super::cache::Files;
use super::model::Model;
use super::template::Template;
use super::{GATEWAY_PATIENCE, Seen};
use crate::fault::{Category, Component, Dependency, Fault, Health, State};
use crate::inference::{self, Route, Serving};
use crate::inspect;
use crate::plan::{Child, Plan};
use crate::service::{autoscaler_health, inference_health, runtime_status};

/// The InferenceService: made when model, template and files are ready, kept as it is said from then on.
pub(super) fn inference(
    seen: &Seen<'_>,
    config: &AimRuntimeConfigSpec,
    model: Option<&Model<'_>>,
    template: Option<&Template<'_>>,
    files: Option<&Files<'_>>,
    plan: &mut Plan<AimServiceStatus>,
) {
    let component = Component::new("InferenceService", Dependency::Downstream);
    let found = inference_health(seen.inference, seen.events);
    let ready = found.as_ref().is_ok_and(|health| health.state == State::Ready);
    plan.components.push(component.found(found));
    if !seen.pods.is_empty() {
        let pods = Component::new("InferenceServicePods", Dependency::Unspecified);
        plan.components.push(pods.found(inspect::pods(seen.pods)));
    }
    if let Some(problem) = replicas_problem(&seen.service.spec) {
        let fault = Fault::new(Category::InvalidSpec, "InvalidSpec", problem);
        plan.blame("InferenceService", fault);
    }
    let (Some(model), Some(template)) = (model, template) else {
        return runtime(seen, None, plan);
    };
    let none = BTreeMap::new();
    let no_status = AimServiceTemplateStatus::default();
    let serving = Serving {
        parent: seen.parent,
        namespace: seen.namespace,
        spec: &seen.service.spec,
        image: &model.spec.image,
        template_name: template.name(),
        template: template.spec,
        status: template.status.unwrap_or(&no_status),
        config,
        artifacts: artifacts(files).unwrap_or(&none),
        existing: seen.inference,
    };
    if serving.follows_metrics() {
        let health = autoscaler_health(seen.autoscaler, ready);
        let component = Component::new("HPA", Dependency::Downstream);
        plan.components
            .push(component.says(health.state, health.reason, health.message));
    }
    runtime(seen, Some(&serving), plan);
    if replicas_problem(&seen.service.spec).is_some() {
        return;
    }
    if seen.inference.is_some() || (model.is_ready() && files.is_some()) {
        match serving.inference_service() {
            Ok(object) => plan.children.push(Child::kept("InferenceService", &object)),
            Err(long) => plan.blame("InferenceService", invalid(&long)),
        }
    }
}

/// Numbers of replicas that the schema takes and KServe does not: it refuses them, or a controller of its waits for ever.
fn replicas_problem(spec: &AimServiceSpec) -> Option<String> {
    match (spec.min_replicas, spec.max_replicas, spec.replicas) {
        (Some(least), Some(most), _) if least > most => Some(format!(
            "minReplicas is {least}, which is more than the {most} of maxReplicas"
        )),
        (_, _, Some(fixed)) if fixed < 0 => Some(format!("replicas is {fixed}, which is less than 0")),
        _ => None,
    }
}

fn invalid(error: &dyn std::error::Error) -> Fault {
    Fault::new(Category::InvalidSpec, "InvalidSpec", error.to_string())
}

fn artifacts<'a>(files: Option<&Files<'a>>) -> Option<&'a BTreeMap<String, CachedArtifact>> {
    match files? {
        Files::Stored(cache) => cache.status.as_ref().map(|status| &status.artifacts),
        Files::NotNeeded => None,
    }
}

fn runtime(seen: &Seen<'_>, serving: Option<&Serving<'_>>, plan: &mut Plan<AimServiceStatus>) {
    let number = |pointer: &str| {
        let value = seen.autoscaler?.pointer(pointer)?.as_i64()?;
        i32::try_from(value).ok()
    };
    let scaling = serving
        .filter(|serving| serving.follows_metrics())
        .map(Serving::replicas);
    let scaled = scaling.and(seen.autoscaler).map(|_| {
        let counts = ["/status/currentReplicas", "/status/desiredReplicas"]
            .map(|pointer| number(pointer).unwrap_or(0));
        (counts[0], counts[1])
    });
    let (least, most) = scaling.unwrap_or((1, 1));
    let limits = (
        number("/spec/minReplicas").unwrap_or(least),
        number("/spec/maxReplicas").unwrap_or(most),
    );
    plan.status.runtime = Some(runtime_status(&seen.service.spec, limits, scaled));
}

/// The HTTPRoute, with the component of its name, where one is wanted.
pub(super) fn route(seen: &Seen<'_>, config: &AimRuntimeConfigSpec, plan: &mut Plan<AimServiceStatus>) {
    let routing = inference::routing(seen.service.spec.routing.as_ref(), config.routing.as_ref());
    if !routing.enabled {
        return;
    }
    let component = Component::new("HTTPRoute", Dependency::Downstream);
    let service = serde_json::to_value(seen.service).unwrap_or_default();
    match inference::route(seen.parent, seen.namespace, &routing, &service) {
        Ok(Some(route)) => {
            let health = accepted(seen, &route, plan);
            plan.components.push(component.found(health));
            plan.status.routing = Some(RoutingStatus {
                path: Some(route.path),
            });
            plan.children.push(Child::kept("HTTPRoute", &route.object));
        }
        Ok(None) => plan.components.push(component.with(Fault::new(
            Category::InvalidSpec,
            "GatewayNotConfigured",
            "routing is enabled and no Gateway is named: set routing.gatewayRef of the service or of its runtime configuration",
        ))),
        Err(long) => plan.components.push(component.with(invalid(&long))),
    }
}

/// How the route stands: as the Gateways say, unless what was wished for cannot be followed.
fn accepted(seen: &Seen<'_>, wanted: &Route, plan: &mut Plan<AimServiceStatus>) -> Result<Health, Fault> {
    if let Some(problem) = &wanted.path_problem {
        let message = format!(
            "{problem}; the service is at `{}` until that is mended",
            wanted.path
        );
        return Ok(Health::new(State::Degraded, "PathTemplateInvalid", message));
    }
    if let Some(timeout) = &wanted.timeout_problem {
        let message = format!("`{timeout}` is no duration: requestTimeout is left out until that is mended");
        return Ok(Health::new(State::Degraded, "RequestTimeoutInvalid", message));
    }
    let Some(route) = seen.route else {
        return Ok(Health::new(
            State::Progressing,
            "HTTPRouteCreating",
            "the route is being made",
        ));
    };
    let health = inspect::route(route)?;
    if health.state == State::Ready {
        return Ok(health);
    }
    let waited = age(route, seen.now);
    if waited < i64::try_from(GATEWAY_PATIENCE.as_secs()).unwrap_or(i64::MAX) {
        plan.look_again(GATEWAY_PATIENCE);
        return Ok(health);
    }
    let message = format!("no gateway took this route: {}", health.message);
    Ok(Health::new(State::Progressing, "HTTPRoutePending", message))
}

/// How long the route has been there, in seconds.
fn age(route: &Value, now: Timestamp) -> i64 {
    let made = route
        .pointer("/metadata/creationTimestamp")
        .and_then(Value::as_str);
    made.and_then(|made| made.parse::<Timestamp>().ok())
        .map_or(0, |made| now.duration_since(made).as_secs())
}
