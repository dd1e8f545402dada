//! `AIMClusterModelSource`: a registry whose images become models.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::{Column, kind};
use crate::schema;

/// Which images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageFilter {
    /// A repository, with `*` for any run of characters, with or without registry and tag.
    #[schemars(length(max = 512))]
    pub image: String,
    /// Repositories that are not wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Constraints of the tag as a semantic version, in place of the source's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// Which images of which registry become models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimClusterModelSourceSpec {
    /// The registry of filters that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "docker.io"))]
    pub registry: Option<String>,
    /// For the registry, in the operator's namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Which images.
    #[schemars(length(min = 1, max = 100))]
    pub filters: Vec<ImageFilter>,
    /// How often the registry is asked, as `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1h"))]
    pub sync_interval: Option<String>,
    /// Constraints of tags, for filters that have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// At most so many models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000), extend("default" = 100))]
    pub max_models: Option<i32>,
}

/// How a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SourceState {
    /// Not looked at yet.
    Pending,
    /// Begins.
    Starting,
    /// On its way.
    Progressing,
    /// All filters could be asked for.
    Ready,
    /// As `Ready`.
    Running,
    /// Some could not.
    Degraded,
    /// The cluster has not what it needs.
    NotAvailable,
    /// None could.
    Failed,
}

/// How a source stands, and how much it found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimClusterModelSourceStatus {
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SourceState>,
    /// When the registry was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub last_sync_time: Option<Time>,
    /// Models that were made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovered_models: Option<i32>,
    /// Images that the filters select.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_models: Option<i32>,
    /// There are more than `maxModels`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models_limit_reached: Option<bool>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

kind! {
    /// A registry whose images become models.
    AimClusterModelSource is "AIMClusterModelSource", "aimclustermodelsources", "aimclsrc", ClusterResourceScope,
    AimClusterModelSourceSpec, AimClusterModelSourceStatus,
    "A registry whose images become models of the cluster.",
    without &[], columns &[
        Column::text("Status", ".status.status"),
        Column::of("integer", "Models", ".status.discoveredModels"),
        Column::of("date", "LastSync", ".status.lastSyncTime"),
        Column::age(),
    ]
}
