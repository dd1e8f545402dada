//! `AIMService`: serve this model.

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::common::{HardwareRequirements, Metric, ModelSource, Precision, ResolvedReference};
use crate::definition::{Column, kind};
use crate::routing::RoutingConfig;
use crate::runtime_config::StorageConfig;
use crate::schema;
use crate::template::immutable_hardware;

/// A model that is described in the service itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomModel {
    /// The image that serves it.
    pub base_image: String,
    /// Its files.
    #[schemars(length(min = 1, max = 1), extend("x-kubernetes-validations" = json!([
        {"rule": "size(self) >= 1", "message": "a custom model needs one of modelSources"}
    ])))]
    pub model_sources: Vec<ModelSource>,
    /// What it needs.
    pub hardware: HardwareRequirements,
}

/// The model: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([
    {
        "rule": "(has(self.name) ? 1 : 0) + (has(self.image) ? 1 : 0) + (has(self.custom) ? 1 : 0) == 1",
        "message": "model needs exactly one of name, image and custom",
    },
    {"rule": "self == oldSelf", "message": "model cannot be changed: make another service"},
])))]
pub struct ServiceModel {
    /// An AIMModel of the namespace, else an AIMClusterModel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model with this image, which is made if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// A model described here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomModel>,
}

/// The template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([
    {"rule": "self == oldSelf", "message": "template cannot be changed: make another service"}
])))]
pub struct ServiceTemplateChoice {
    /// Its name; absent: the best that is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether one that is not `optimized` may be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_unoptimized: Option<bool>,
}

/// Whose the stored model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CachingMode {
    /// This service's.
    Dedicated,
    /// Everybody's in the namespace.
    Shared,
    /// Older word for `Shared`.
    Auto,
    /// Older word for `Shared`.
    Always,
    /// Older word for `Dedicated`.
    Never,
}

/// How the model is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([
    {"rule": "self == oldSelf", "message": "caching cannot be changed: make another service"}
])))]
pub struct ServiceCaching {
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Shared"))]
    pub mode: Option<CachingMode>,
}

/// A question to the metrics of the pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodMetricQuery {
    /// Who answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "metric_backend")]
    pub backend: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_address: Option<String>,
    /// The metrics that are collected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metric_names: Vec<String>,
    /// The query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// How values over time become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_over_time: Option<String>,
}

fn metric_backend(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["opentelemetry"], "default": "opentelemetry"})
}

/// What the answer is to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricTarget {
    /// `Value`, `AverageValue` or `Utilization`.
    #[serde(rename = "type")]
    #[schemars(schema_with = "target_type")]
    pub type_: String,
    /// In all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub value: Option<Quantity>,
    /// Of each pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub average_value: Option<Quantity>,
    /// Of each pod, in percent of its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_utilization: Option<i32>,
}

fn target_type(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["Value", "AverageValue", "Utilization"]})
}

/// A metric of the pods and its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodMetric {
    /// The question.
    pub metric: PodMetricQuery,
    /// What the answer is to be.
    pub target: MetricTarget,
}

/// What replicas follow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricSource {
    /// `PodMetric`.
    #[serde(rename = "type")]
    #[schemars(schema_with = "metric_type")]
    pub type_: String,
    /// The metric.
    #[serde(default, rename = "podmetric", skip_serializing_if = "Option::is_none")]
    pub pod_metric: Option<PodMetric>,
}

fn metric_type(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["PodMetric"]})
}

/// What replicas follow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoScaling {
    /// Each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricSource>,
}

/// What is asked of a template, or put over one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeParameters {
    /// Latency or throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = json!([{"rule": "self == oldSelf", "message": "metric cannot be changed"}])))]
    pub metric: Option<Metric>,
    /// The number format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = json!([{"rule": "self == oldSelf", "message": "precision cannot be changed"}])))]
    pub precision: Option<Precision>,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "immutable_hardware")]
    pub hardware: Option<HardwareRequirements>,
}

/// Serve this model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimServiceSpec {
    /// The model.
    pub model: ServiceModel,
    /// The template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<ServiceTemplateChoice>,
    /// How the model is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caching: Option<ServiceCaching>,
    /// Deprecated, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_model: Option<bool>,
    /// How many, unless they follow metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 1))]
    pub replicas: Option<i32>,
    /// At least so many. Present: replicas follow metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub min_replicas: Option<i32>,
    /// At most so many. Present: replicas follow metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_replicas: Option<i32>,
    /// What replicas follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_scaling: Option<AutoScaling>,
    /// Name of the runtime configurations; empty: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_config_name: Option<String>,
    /// Where the model is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageConfig>,
    /// How the service is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<RoutingConfig>,
    /// Environment variables of the container, over all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// Of the container, over the template's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resources")]
    pub resources: Option<ResourceRequirements>,
    /// What is asked of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<RuntimeParameters>,
    /// For the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The account of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
}

/// How a service stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ServiceState {
    /// Waits for something else.
    #[default]
    Pending,
    /// On its way.
    Starting,
    /// Answers.
    Running,
    /// Answers in part, or something it needs is away.
    Degraded,
    /// Will not answer without a change.
    Failed,
}

/// How the service is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutingStatus {
    /// The path at the Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// The service's stored model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheStatus {
    /// The AIMTemplateCache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_cache_ref: Option<ResolvedReference>,
    /// Reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_attempts: Option<i64>,
}

/// How many replicas there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuntimeStatus {
    /// There.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_replicas: Option<i32>,
    /// Wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_replicas: Option<i32>,
    /// At least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<i32>,
    /// All of it for people: `2`, or `2/3 (1-5)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<String>,
}

/// How a service stands, and what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimServiceStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Pending"))]
    pub status: Option<ServiceState>,
    /// The runtime configuration in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_runtime_config: Option<ResolvedReference>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_model: Option<ResolvedReference>,
    /// The template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_template: Option<ResolvedReference>,
    /// How it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<RoutingStatus>,
    /// Its stored model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheStatus>,
    /// How many replicas there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeStatus>,
}

kind! {
    /// Serve this model.
    AimService is "AIMService", "aimservices", "aimsvc", NamespaceResourceScope,
    AimServiceSpec, AimServiceStatus, "A model that is served in the namespace.",
    without &[], columns &[
        Column::text("Status", ".status.status"),
        Column::text("Model", ".status.resolvedModel.name"),
        Column::text("Template", ".status.resolvedTemplate.name"),
        Column::text("Replicas", ".status.runtime.replicas"),
        Column::age(),
    ]
}
