//! What several kinds share.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::schema;

/// Where a model's files come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelSource {
    /// `org/name`; also the path below `/workspace/cache` at which the container finds the files.
    #[schemars(regex(pattern = "^[a-zA-Z0-9_-]+/[a-zA-Z0-9._-]+$"))]
    pub model_id: String,
    /// `hf://org/name` or `s3://bucket/path`.
    #[schemars(regex(pattern = "^(hf|s3)://[^ \\t\\r\\n]+$"))]
    pub source_uri: String,
    /// Bytes of all files; absent or zero: to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub size: Option<Quantity>,
    /// Credentials for this source. They win over variables of the same name from further out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
}

/// What a model needs of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([
    {"rule": "has(self.gpu) || has(self.cpu)", "message": "hardware needs gpu or cpu"}
])))]
pub struct HardwareRequirements {
    /// GPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuRequirements>,
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuRequirements>,
}

/// GPUs: how many, of which model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = json!([{
    "rule": "!(has(self.model) && self.model != '' && has(self.minVram))",
    "message": "model and minVram exclude each other: a model has its memory",
}])))]
pub struct GpuRequirements {
    /// Devices for each replica; 0 asks for a node with such a GPU without reserving one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub requests: Option<i32>,
    /// As `MI300X`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub model: Option<String>,
    /// The least memory of a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub min_vram: Option<Quantity>,
    /// The extended resource that stands for a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "amd.com/gpu"))]
    pub resource_name: Option<String>,
}

/// Processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CpuRequirements {
    /// Reserved.
    #[schemars(schema_with = "schema::quantity")]
    pub requests: Quantity,
    /// At most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub limits: Option<Quantity>,
}

/// What a deployment is tuned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Short answers.
    Latency,
    /// Many answers.
    Throughput,
}

impl Metric {
    /// As manifests spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
        }
    }
}

/// The number format that a model computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The image chooses.
    Auto,
    /// 4-bit floating point.
    Fp4,
    /// 8-bit floating point.
    Fp8,
    /// 16-bit floating point.
    Fp16,
    /// 32-bit floating point.
    Fp32,
    /// bfloat16.
    Bf16,
    /// 4-bit integers.
    Int4,
    /// 8-bit integers.
    Int8,
}

impl Precision {
    /// As manifests spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fp4 => "fp4",
            Self::Fp8 => "fp8",
            Self::Fp16 => "fp16",
            Self::Fp32 => "fp32",
            Self::Bf16 => "bf16",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
        }
    }
}

/// How well a profile was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileType {
    /// Measured and tuned for this hardware.
    Optimized,
    /// On its way there.
    Preview,
    /// Works, untuned.
    Unoptimized,
}

impl ProfileType {
    /// As manifests spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optimized => "optimized",
            Self::Preview => "preview",
            Self::Unoptimized => "unoptimized",
        }
    }
}

/// Whether an object lives in a namespace.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Scope {
    /// In one.
    Namespace,
    /// In none.
    Cluster,
    /// Of both, one over the other.
    Merged,
    /// Not known.
    #[default]
    Unknown,
}

/// Whose a cache or artifact is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum CacheMode {
    /// One service's, and goes with it.
    Dedicated,
    /// Everybody's in the namespace, and stays.
    #[default]
    Shared,
}

/// Another object, as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedReference {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its namespace; absent for cluster kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// How a model, template, cache or artifact stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ModelState {
    /// Waits for something else.
    #[default]
    Pending,
    /// On its way.
    Progressing,
    /// Usable.
    Ready,
    /// Usable in part, or something it needs is away.
    Degraded,
    /// Will not become usable without a change.
    Failed,
    /// The cluster has not what it needs.
    NotAvailable,
}

impl ModelState {
    /// As statuses spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Progressing => "Progressing",
            Self::Ready => "Ready",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
            Self::NotAvailable => "NotAvailable",
        }
    }
}
