//! `AIMModel` and `AIMClusterModel`: an image that serves a model.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::common::{
    HardwareRequirements, Metric, ModelSource, ModelState, Precision, ProfileType, ResolvedReference,
};
use crate::definition::{Column, kind};
use crate::schema;

/// What is read from the image, and what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelDiscovery {
    /// Read the image's labels from its registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub extract_metadata: Option<bool>,
    /// Make a template for each recommended deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub create_service_templates: Option<bool>,
}

/// Defaults of all custom templates of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomModelDefaults {
    /// What they need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareRequirements>,
    /// How well they were tried.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<ProfileType>,
}

/// What a custom template is tuned for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomTemplateProfile {
    /// Latency or throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The number format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
}

/// A template to make for a model, beside those that are discovered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomTemplate {
    /// An alias, part of the template's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub name: Option<String>,
    /// How well it was tried.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "unoptimized"))]
    pub type_: Option<ProfileType>,
    /// Environment variables, over the model's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::short_env")]
    pub env: Vec<EnvVar>,
    /// What it needs, over the model's `custom.hardware`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareRequirements>,
    /// What it is tuned for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<CustomTemplateProfile>,
}

/// A deployment that the image's maker recommends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecommendedDeployment {
    /// The GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_count: Option<i32>,
    /// The number format, in the maker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// What it is tuned for, in the maker's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The profile inside the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What an image says of its model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelMetadata {
    /// `org/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonical_name: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// Variants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
    /// Whether its files need a token of the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hf_token_required: Option<bool>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// For people, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_full: Option<String>,
    /// What is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_notes: Option<String>,
    /// How its maker would run it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommended_deployments: Vec<RecommendedDeployment>,
}

/// What an image says of itself in OCI's own labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciMetadata {
    /// `org.opencontainers.image.title`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `org.opencontainers.image.description`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `org.opencontainers.image.licenses`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<String>,
    /// `org.opencontainers.image.vendor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// `org.opencontainers.image.authors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<String>,
    /// `org.opencontainers.image.source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `org.opencontainers.image.documentation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// `org.opencontainers.image.created`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// `org.opencontainers.image.revision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// `org.opencontainers.image.version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageMetadata {
    /// Of the model in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelMetadata>,
    /// Of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciMetadata>,
    /// Every label, as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub original_labels: BTreeMap<String, String>,
}

/// A model: an image, or an image and files from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([{
    "rule": "!has(self.modelSources) || size(self.modelSources) == 0 || !has(self.customTemplates) || size(self.customTemplates) == 0 || (has(self.custom) && has(self.custom.hardware)) || self.customTemplates.all(t, has(t.hardware))",
    "message": "each of customTemplates needs hardware, or custom.hardware for all: a model with modelSources has no discovery to find it out",
}])))]
pub struct AimModelSpec {
    /// The image.
    #[schemars(length(min = 1))]
    pub image: String,
    /// What is read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<ModelDiscovery>,
    /// Accepted, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_service_template: Option<String>,
    /// Defaults of custom templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<CustomModelDefaults>,
    /// Templates to make, beside those that are discovered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub custom_templates: Vec<CustomTemplate>,
    /// Files that the image does not hold. Not empty: a custom model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1))]
    pub model_sources: Vec<ModelSource>,
    /// Name of the runtime configurations; empty: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_config_name: Option<String>,
    /// For the image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Environment variables of its custom templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// The account of discovery's pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Accepted, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::resources")]
    pub resources: Option<ResourceRequirements>,
    /// What is to be known of the image, instead of asking its registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_metadata: Option<ImageMetadata>,
}

/// Where a model's files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SourceType {
    /// The image knows.
    Image,
    /// `modelSources` says.
    Custom,
}

/// How a model stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimModelStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Pending"))]
    pub status: Option<ModelState>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The runtime configuration in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_runtime_config: Option<ResolvedReference>,
    /// What is known of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_metadata: Option<ImageMetadata>,
    /// Where its files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
}

const COLUMNS: &[Column] = &[
    Column::text("Status", ".status.status"),
    Column::text("Source", ".status.sourceType"),
    Column::text("Image", ".spec.image"),
    Column::text("Model", ".status.imageMetadata.model.canonicalName"),
    Column::age(),
];

kind! {
    /// A model of a namespace.
    AimModel is "AIMModel", "aimmodels", "aimmdl", NamespaceResourceScope,
    AimModelSpec, AimModelStatus, "A model that services of the namespace can serve.",
    without &[], columns COLUMNS
}

kind! {
    /// A model of the cluster.
    AimClusterModel is "AIMClusterModel", "aimclustermodels", "aimclmdl", ClusterResourceScope,
    AimModelSpec, AimModelStatus, "A model that services of every namespace can serve.",
    without &[], columns COLUMNS
}
