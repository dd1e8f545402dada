//! `AIMServiceTemplate` and `AIMClusterServiceTemplate`: how a model is run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference, NodeAffinity, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::common::{
    HardwareRequirements, Metric, ModelSource, ModelState, Precision, ProfileType, ResolvedReference,
};
use crate::definition::{Column, kind};
use crate::schema;

/// Whether a template's models are stored before a service asks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateCaching {
    /// They are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub enabled: Option<bool>,
    /// Environment variables of the downloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
}

/// How a model is run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimServiceTemplateSpec {
    /// The model, of the same scope.
    #[schemars(
        length(min = 1),
        extend("x-kubernetes-validations" = json!([{"rule": "self == oldSelf", "message": "modelName cannot be changed"}]))
    )]
    pub model_name: String,
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
    /// Name of the runtime configurations; empty: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_config_name: Option<String>,
    /// For the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The account of pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Of the container that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resources")]
    pub resources: Option<ResourceRequirements>,
    /// The model's files. Present: nothing is discovered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_sources: Vec<ModelSource>,
    /// The profile inside the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// How well it was tried.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<ProfileType>,
    /// Environment variables of the container that serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// Whether its models are stored before a service asks. Templates of a namespace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caching: Option<TemplateCaching>,
}

/// [`HardwareRequirements`] with the rule that they cannot be changed, beside their own.
pub(crate) fn immutable_hardware(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = HardwareRequirements::json_schema(generator);
    let rule = json!({"rule": "self == oldSelf", "message": "hardware cannot be changed"});
    if let Some(Value::Array(rules)) = schema.get_mut("x-kubernetes-validations") {
        rules.push(rule);
    }
    schema
}

/// What discovery says of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileMetadata {
    /// The inference engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<i32>,
    /// Latency or throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The number format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// How well it was tried.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<ProfileType>,
}

/// What discovery found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Arguments of the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::anything")]
    pub engine_args: Option<Value>,
    /// Environment variables of the engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_vars: BTreeMap<String, String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ProfileMetadata>,
    /// Reserved.
    #[serde(
        default,
        rename = "originalDiscoveryOutput",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(schema_with = "schema::anything")]
    pub original_discovery_output: Option<Value>,
}

/// How often discovery failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryStatus {
    /// Failed Jobs since the spec was as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// When the last of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub last_attempt_time: Option<Time>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure_reason: Option<String>,
    /// Of what they were attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_hash: Option<String>,
}

/// How a template stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimServiceTemplateStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The runtime configuration in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_runtime_config: Option<ResolvedReference>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_model: Option<ResolvedReference>,
    /// Its cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_cache: Option<ResolvedReference>,
    /// What it needs, after discovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_hardware: Option<HardwareRequirements>,
    /// On which nodes it can run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_node_affinity: Option<NodeAffinity>,
    /// `2 x MI300X`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_summary: Option<String>,
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Pending"))]
    pub status: Option<ModelState>,
    /// The model's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_sources: Vec<ModelSource>,
    /// What discovery found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The Job that looks, or looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery_job: Option<ResolvedReference>,
    /// How often it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<DiscoveryStatus>,
}

const COLUMNS: &[Column] = &[
    Column::text("Model", ".spec.modelName"),
    Column::text("Status", ".status.status"),
    Column::text("Hardware", ".status.hardwareSummary"),
    Column::text("Metric", ".status.profile.metadata.metric"),
    Column::text("Precision", ".status.profile.metadata.precision"),
];

kind! {
    /// How a model of a namespace is run.
    AimServiceTemplate is "AIMServiceTemplate", "aimservicetemplates", "aimtpl", NamespaceResourceScope,
    AimServiceTemplateSpec, AimServiceTemplateStatus, "A way to run a model of the namespace.",
    without &[], columns COLUMNS
}

kind! {
    /// How a model of the cluster is run. Its `caching` is always absent.
    AimClusterServiceTemplate is "AIMClusterServiceTemplate", "aimclusterservicetemplates", "aimcltpl", ClusterResourceScope,
    AimServiceTemplateSpec, AimServiceTemplateStatus, "A way to run a model of the cluster.",
    without &["caching"], columns COLUMNS
}
