//! A service: its model, its template, its cache, and what serves it.

mod cache;
mod model;
mod running;
mod template;

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use k8s_openapi::jiff::Timestamp;
use reeve_serving_crds::{
    AimClusterModel, AimClusterServiceTemplate, AimModel, AimRuntimeConfigSpec, AimService, AimServiceStatus,
    AimServiceTemplate, AimTemplateCache, ModelState,
};
use serde_json::Value;

use super::{Plan, config_component};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::fault::{Component, Dependency, State};
use crate::gpu::Inventory;
use crate::inference;
use crate::inspect::SeenPod;
use crate::labels;
use crate::names;
use crate::owner::Parent;

/// How long a Gateway may take to answer before the status says that none took the route.
pub const GATEWAY_PATIENCE: Duration = Duration::from_secs(60);

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The service.
    pub service: &'a AimService,
    /// The service, as the owner.
    pub parent: &'a Parent,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// The models of the namespace.
    pub models: &'a [AimModel],
    /// The models of the cluster.
    pub cluster_models: &'a [AimClusterModel],
    /// The templates of the namespace.
    pub templates: &'a [AimServiceTemplate],
    /// The templates of the cluster.
    pub cluster_templates: &'a [AimClusterServiceTemplate],
    /// The caches of the namespace.
    pub caches: &'a [AimTemplateCache],
    /// The GPUs of the cluster.
    pub inventory: &'a Inventory,
    /// Its InferenceService.
    pub inference: Option<&'a Value>,
    /// The events of that.
    pub events: &'a [Event],
    /// The pods of that.
    pub pods: &'a [SeenPod<'a>],
    /// Its HTTPRoute.
    pub route: Option<&'a Value>,
    /// The autoscaler of its InferenceService.
    pub autoscaler: Option<&'a Value>,
    /// Now.
    pub now: Timestamp,
}

impl Seen<'_> {
    fn before(&self) -> AimServiceStatus {
        self.service.status.clone().unwrap_or_default()
    }

    fn config_spec(&self) -> AimRuntimeConfigSpec {
        self.config
            .as_ref()
            .map(|config| config.spec.clone())
            .unwrap_or_default()
    }

    fn uid(&self) -> &str {
        &self.parent.uid
    }
}

/// Plans a pass.
pub fn plan(seen: &Seen<'_>) -> Plan<AimServiceStatus> {
    let before = seen.before();
    let mut plan = Plan::new(AimServiceStatus {
        resolved_runtime_config: seen.config.as_ref().ok().and_then(|config| config.from.clone()),
        resolved_model: before.resolved_model.clone(),
        resolved_template: before.resolved_template.clone(),
        cache: before.cache.clone(),
        ..AimServiceStatus::default()
    });
    match seen.config {
        Ok(config) if config.from.is_none() => {}
        Ok(_) => plan
            .components
            .push(Component::new("RuntimeConfig", Dependency::Upstream).says(
                State::Ready,
                "RuntimeConfigResolved",
                "",
            )),
        Err(_) => plan
            .components
            .push(config_component(seen.config, "ReferenceNotFound")),
    }
    let config = seen.config_spec();
    let model = model::resolve(seen, &mut plan);
    let template = template::resolve(seen, model.as_ref(), &mut plan);
    let cache = cache::resolve(seen, template.as_ref(), &config, &mut plan);
    running::route(seen, &config, &mut plan);
    running::inference(
        seen,
        &config,
        model.as_ref(),
        template.as_ref(),
        cache.as_ref(),
        &mut plan,
    );
    plan
}

/// Whether the service's route is there although routing is switched off: what was taken back must not go on being reached. Only a
/// route that this very service owns; where the configuration is not known nothing is decided.
pub fn has_unwanted_route(seen: &Seen<'_>) -> bool {
    let (Ok(config), Some(route)) = (seen.config, seen.route) else {
        return false;
    };
    let routing = inference::routing(seen.service.spec.routing.as_ref(), config.spec.routing.as_ref());
    let owners = route
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let of_uid = |owner: &Value| owner.get("uid").and_then(Value::as_str) == Some(seen.uid());
    !routing.enabled && owners.is_some_and(|owners| owners.iter().any(of_uid))
}

/// Whether a cache goes with the service that it was made for: it holds nothing that others use.
pub fn takes_along(service: &str, cache: &AimTemplateCache) -> bool {
    let label = format!("{}service", labels::PREFIX);
    let of_service = cache
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(&label))
        .is_some_and(|value| *value == names::label_value(service));
    of_service && cache.status.as_ref().and_then(|status| status.status) != Some(ModelState::Ready)
}
