//! The InferenceService of a service, and its HTTPRoute. As JSON: their kinds are KServe's and Gateway API's.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{EnvVar, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_serving_crds::{
    AimRuntimeConfigSpec, AimServiceSpec, AimServiceTemplateSpec, AimServiceTemplateStatus, CachedArtifact,
    Metric, ModelState, Precision, RoutingConfig,
};
use serde_json::{Map, Value, json};

use crate::duration;
use crate::env;
use crate::labels;
use crate::names::{self, NamespaceTooLong};
use crate::owner::Parent;
use crate::path::{self, PathTemplateInvalid};
use crate::quantity;
use crate::security;

/// Where containers find the files of models.
const CACHE: &str = "/workspace/cache";

/// A service with what its InferenceService is made of.
#[derive(Debug, Clone, Copy)]
pub struct Serving<'a> {
    /// The service, as the owner.
    pub parent: &'a Parent,
    /// Its namespace.
    pub namespace: &'a str,
    /// What is wanted.
    pub spec: &'a AimServiceSpec,
    /// The image of its model.
    pub image: &'a str,
    /// The name of its template.
    pub template_name: &'a str,
    /// Its template.
    pub template: &'a AimServiceTemplateSpec,
    /// How that stands.
    pub status: &'a AimServiceTemplateStatus,
    /// The runtime configuration in force.
    pub config: &'a AimRuntimeConfigSpec,
    /// The stored files; they are mounted when the InferenceService is made.
    pub artifacts: &'a BTreeMap<String, CachedArtifact>,
    /// The InferenceService that is there. Its volumes are kept: another set would start every pod again.
    pub existing: Option<&'a Value>,
}

impl Serving<'_> {
    /// The InferenceService.
    ///
    /// # Errors
    /// When the namespace leaves no room for its name.
    pub fn inference_service(&self) -> Result<Value, NamespaceTooLong> {
        let name = names::inference_service(&self.parent.name, self.namespace)?;
        let metadata = self
            .parent
            .child(name.clone(), Some(self.namespace), &self.labels(), true);
        let mut metadata = json!(metadata);
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("annotations".to_owned(), json!(self.annotations(&name)));
        }
        Ok(json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": metadata,
            "spec": {"predictor": self.predictor()},
        }))
    }

    fn labels(&self) -> labels::Labels {
        let profile = self.status.profile.as_ref().and_then(|p| p.metadata.as_ref());
        let mut all = labels::labels([
            (labels::MANAGED_BY, "aim-engine"),
            (labels::COMPONENT, "inference"),
            ("service", &names::label_value(&self.parent.name)),
            ("model", &names::label_value(&self.template.model_name)),
            ("template", &names::label_value(self.template_name)),
        ]);
        let words = [
            ("metric", profile.and_then(|p| p.metric).map(Metric::as_str)),
            (
                "precision",
                profile.and_then(|p| p.precision).map(Precision::as_str),
            ),
        ];
        for (key, word) in words {
            all.extend(word.map(|word| (format!("{}{key}", labels::PREFIX), word.to_owned())));
        }
        all
    }

    /// Whether replicas follow metrics.
    pub const fn follows_metrics(&self) -> bool {
        self.spec.auto_scaling.is_some()
            || self.spec.min_replicas.is_some()
            || self.spec.max_replicas.is_some()
    }

    fn annotations(&self, name: &str) -> BTreeMap<&'static str, String> {
        if !self.follows_metrics() {
            return BTreeMap::from([("serving.kserve.io/autoscalerClass", "none".to_owned())]);
        }
        BTreeMap::from([
            ("serving.kserve.io/autoscalerClass", "keda".to_owned()),
            ("sidecar.opentelemetry.io/inject", format!("{name}-predictor")),
            ("prometheus.kserve.io/port", "8000".to_owned()),
        ])
    }

    /// The least and the most replicas.
    pub fn replicas(&self) -> (i32, i32) {
        if !self.follows_metrics() {
            let fixed = self.spec.replicas.unwrap_or(1);
            return (fixed, fixed);
        }
        let least = self.spec.min_replicas.unwrap_or(1);
        (
            least,
            self.spec.max_replicas.or(self.spec.min_replicas).unwrap_or(1),
        )
    }

    fn predictor(&self) -> Value {
        let (volumes, mounts) = self.storage();
        let (least, most) = self.replicas();
        let mut predictor = json!({
            "securityContext": security::serving_pod(),
            "containers": [{
                "name": "kserve-container",
                "image": self.image,
                "env": self.env(),
                "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                "resources": self.resources(),
                "securityContext": security::serving_container(),
                "volumeMounts": mounts,
            }],
            "volumes": volumes,
            "minReplicas": least,
            "maxReplicas": most,
        });
        if let Some(predictor) = predictor.as_object_mut() {
            // KServe copies it into the template of its Deployment.
            if let Some(stamp) = &self.parent.stamp {
                predictor.insert("annotations".to_owned(), json!(stamp.annotations()));
            }
            self.optional(predictor);
        }
        predictor
    }

    fn optional(&self, predictor: &mut Map<String, Value>) {
        let mut put = |key: &str, value: Value| predictor.insert(key.to_owned(), value);
        if !self.spec.image_pull_secrets.is_empty() {
            put("imagePullSecrets", json!(self.spec.image_pull_secrets));
        }
        if let Some(account) = self
            .spec
            .service_account_name
            .as_ref()
            .filter(|name| !name.is_empty())
        {
            put("serviceAccountName", json!(account));
        }
        if let Some(affinity) = &self.status.resolved_node_affinity {
            put("affinity", json!({"nodeAffinity": affinity}));
        }
        if let Some(scaling) = self
            .spec
            .auto_scaling
            .as_ref()
            .filter(|scaling| !scaling.metrics.is_empty())
        {
            put("autoScaling", json!({"metrics": scaling.metrics}));
        }
    }

    /// The container's variables, each name once, sorted by name.
    pub fn env(&self) -> Vec<EnvVar> {
        let built_in = [
            env::plain("AIM_CACHE_PATH", CACHE),
            env::plain("VLLM_ENABLE_METRICS", "true"),
        ];
        let mut all = env::merge(&built_in, &self.config.env);
        env::set(
            &mut all,
            "AIM_PROFILE_ID",
            self.template.profile_id.as_deref().unwrap_or_default(),
        );
        env::set(
            &mut all,
            "AIM_METRIC",
            self.template.metric.map_or("", Metric::as_str),
        );
        env::set(
            &mut all,
            "AIM_PRECISION",
            self.template.precision.map_or("", Precision::as_str),
        );
        let mut all = env::merge(&all, &self.template.env);
        let model = self
            .template
            .model_sources
            .first()
            .map(|source| source.model_id.as_str());
        env::set(&mut all, "AIM_MODEL_ID", model.unwrap_or_default());
        env::sorted(env::merge(&all, &self.spec.env))
    }

    /// What the container gets: by its GPUs, then as the template says, then as the service says, resource by resource.
    pub fn resources(&self) -> ResourceRequirements {
        let gpu = self
            .status
            .resolved_hardware
            .as_ref()
            .and_then(|hardware| hardware.gpu.as_ref());
        let mut requests = BTreeMap::new();
        let mut limits = BTreeMap::new();
        if let Some(gpu) = gpu
            && let Some(count) = gpu.requests.filter(|count| *count > 0).map(i64::from)
        {
            let device = gpu.resource_name.clone().filter(|name| !name.is_empty());
            let device = device.unwrap_or_else(|| "amd.com/gpu".to_owned());
            requests.insert("cpu".to_owned(), Quantity((4 * count).to_string()));
            requests.insert("memory".to_owned(), Quantity(format!("{}Gi", 32 * count)));
            limits.insert("memory".to_owned(), Quantity(format!("{}Gi", 48 * count)));
            requests.insert(device.clone(), Quantity(count.to_string()));
            limits.insert(device, Quantity(count.to_string()));
        }
        let mut claims = None;
        for over in [self.template.resources.as_ref(), self.spec.resources.as_ref()] {
            let Some(over) = over.filter(|over| !quantity::are_unset(Some(over))) else {
                continue;
            };
            requests.extend(canonical(over.requests.as_ref()));
            limits.extend(canonical(over.limits.as_ref()));
            claims = over.claims.clone().or(claims);
        }
        let some = |map: BTreeMap<String, Quantity>| (!map.is_empty()).then_some(map);
        ResourceRequirements {
            requests: some(requests),
            limits: some(limits),
            claims,
        }
    }

    fn storage(&self) -> (Value, Value) {
        let kept = |pointer: &str| {
            self.existing
                .and_then(|existing| existing.pointer(pointer))
                .cloned()
        };
        let container = "/spec/predictor/containers/0/volumeMounts";
        if let (Some(volumes), Some(mounts)) = (kept("/spec/predictor/volumes"), kept(container)) {
            return (volumes, mounts);
        }
        let mut volumes = vec![json!({"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}})];
        let mut mounts = vec![json!({"name": "dshm", "mountPath": "/dev/shm"})];
        let mut taken = BTreeSet::new();
        for artifact in self
            .artifacts
            .values()
            .filter(|artifact| artifact.status == ModelState::Ready)
        {
            let Some(claim) = artifact
                .persistent_volume_claim
                .as_ref()
                .filter(|claim| !claim.is_empty())
            else {
                continue;
            };
            let name = names::part(&artifact.name);
            let path = mount_path(artifact);
            if taken.insert(name.clone()) {
                volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": claim}}));
            }
            mounts.push(json!({"name": name, "mountPath": path}));
        }
        (Value::Array(volumes), Value::Array(mounts))
    }

    /// Whether and where the service is reached.
    pub fn routing(&self) -> Routing {
        routing(self.spec.routing.as_ref(), self.config.routing.as_ref())
    }
}

fn canonical(map: Option<&BTreeMap<String, Quantity>>) -> impl Iterator<Item = (String, Quantity)> {
    let all = map.into_iter().flatten();
    all.map(|(name, quantity)| (name.clone(), Quantity(quantity::canonical(quantity))))
}

/// Below [`CACHE`], whatever the id says.
fn mount_path(artifact: &CachedArtifact) -> String {
    let said = artifact.mount_point.as_ref().filter(|path| !path.is_empty());
    said.cloned()
        .unwrap_or_else(|| format!("{CACHE}/{}", artifact.model.replace("..", "")))
}

/// How a service is reached: its own words first, then the runtime configuration's, field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Routing {
    /// Whether a route is wanted.
    pub enabled: bool,
    /// What it says.
    pub config: RoutingConfig,
}

/// See [`Routing`]. Annotations are the runtime configuration's alone.
pub fn routing(service: Option<&RoutingConfig>, config: Option<&RoutingConfig>) -> Routing {
    let first = |field: fn(&RoutingConfig) -> Option<String>| {
        let filled = |config: &RoutingConfig| field(config).filter(|text| !text.is_empty());
        service.and_then(filled).or_else(|| config.and_then(filled))
    };
    let enabled = service
        .and_then(|s| s.enabled)
        .or(config.and_then(|c| c.enabled))
        .unwrap_or(false);
    Routing {
        enabled,
        config: RoutingConfig {
            enabled: Some(enabled),
            gateway_ref: service
                .and_then(|s| s.gateway_ref.clone())
                .or(config.and_then(|c| c.gateway_ref.clone())),
            path_template: first(|config| config.path_template.clone()),
            request_timeout: first(|config| config.request_timeout.clone()),
            annotations: config
                .map(|config| config.annotations.clone())
                .unwrap_or_default(),
        },
    }
}

/// A route, its path, and what of the wishes for it could not be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The HTTPRoute.
    pub object: Value,
    /// Its path, for the status.
    pub path: String,
    /// Why the path is not the one that was wished for.
    pub path_problem: Option<PathTemplateInvalid>,
    /// The timeout that is none.
    pub timeout_problem: Option<String>,
}

/// The HTTPRoute of a service; `None` when none is wanted or no Gateway is named. `service` is the service as JSON. A path
/// template that gives no path does not take the service away: it keeps the default path, and the caller says why.
///
/// # Errors
/// When the namespace leaves no room for the name of the InferenceService.
pub fn route(
    parent: &Parent,
    namespace: &str,
    routing: &Routing,
    service: &Value,
) -> Result<Option<Route>, NamespaceTooLong> {
    let Some(gateway) = routing.config.gateway_ref.as_ref().filter(|_| routing.enabled) else {
        return Ok(None);
    };
    let default = path::default_path(namespace, &parent.uid);
    let template = routing.config.path_template.as_deref();
    let (path, path_problem) = match template.map(|template| path::render(template, service)) {
        None => (default, None),
        Some(Ok(path)) => (path, None),
        Some(Err(problem)) => (default, Some(problem)),
    };
    let backend = format!("{}-predictor", names::inference_service(&parent.name, namespace)?);
    let mut rule = json!({
        "matches": [{"path": {"type": "PathPrefix", "value": path}}],
        "filters": [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
        // As the definition would fill it in: a list that is owned whole is compared whole.
        "backendRefs": [{"group": "", "kind": "Service", "name": backend, "namespace": namespace, "port": 80, "weight": 1}],
    });
    let asked = routing.config.request_timeout.as_deref();
    let timeout = asked.and_then(duration::parse);
    if let (Some(timeout), Some(rule)) = (timeout, rule.as_object_mut()) {
        rule.insert(
            "timeouts".to_owned(),
            json!({"request": duration::print(timeout)}),
        );
    }
    let own = labels::labels([
        (labels::MANAGED_BY, "aim-engine"),
        (labels::COMPONENT, "routing"),
        ("service", &names::label_value(&parent.name)),
    ]);
    let mut metadata = parent.child(names::route(&parent.name, namespace), Some(namespace), &own, true);
    metadata.annotations =
        (!routing.config.annotations.is_empty()).then(|| routing.config.annotations.clone());
    let object = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"parentRefs": [gateway], "rules": [rule]},
    });
    Ok(Some(Route {
        object,
        path,
        path_problem,
        timeout_problem: asked.filter(|_| timeout.is_none()).map(str::to_owned),
    }))
}
