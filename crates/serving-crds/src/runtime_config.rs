//! `AIMRuntimeConfig` and `AIMClusterRuntimeConfig`: defaults of a namespace and of the cluster.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::kind;
use crate::routing::RoutingConfig;
use crate::schema;

/// Where models are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageConfig {
    /// The storage class of claims that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_storage_class_name: Option<String>,
    /// How much larger than the model a claim is, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0), extend("default" = 10))]
    pub pvc_headroom_percent: Option<i32>,
}

/// Which labels children get from their parent, beside those of this group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelPropagation {
    /// Whether any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub enabled: Option<bool>,
    /// Shell patterns of label keys; `*` does not cross `/`.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
}

/// Defaults for models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelConfig {
    /// Accepted, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_discovery: Option<bool>,
}

/// Defaults of a namespace or of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimRuntimeConfigSpec {
    /// Where models are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageConfig>,
    /// How services are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<RoutingConfig>,
    /// Environment variables of every container that serves or downloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// Defaults for models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelConfig>,
    /// Which labels children get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_propagation: Option<LabelPropagation>,
    /// Deprecated: `storage.defaultStorageClassName`, which wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_storage_class_name: Option<String>,
    /// Deprecated: `storage.pvcHeadroomPercent`, which wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub pvc_headroom_percent: Option<i32>,
}

/// Reserved: runtime configurations are read and never written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimRuntimeConfigStatus {
    /// The generation of the spec that this speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// None today.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}

kind! {
    /// Defaults of a namespace, over those of the cluster of the same name.
    AimRuntimeConfig is "AIMRuntimeConfig", "aimruntimeconfigs", "aimrc", NamespaceResourceScope,
    AimRuntimeConfigSpec, AimRuntimeConfigStatus,
    "Defaults for model serving in a namespace. The one named default is used where none is named.",
    without &[], columns &[]
}

kind! {
    /// Defaults of the cluster.
    AimClusterRuntimeConfig is "AIMClusterRuntimeConfig", "aimclusterruntimeconfigs", "aimclrc", ClusterResourceScope,
    AimRuntimeConfigSpec, AimRuntimeConfigStatus,
    "Defaults for model serving in the cluster. A namespace's of the same name wins field by field.",
    without &[], columns &[]
}
