//! `AIMTemplateCache`: the stored files of a template.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::common::{CacheMode, ModelSource, ModelState, ResolvedReference, Scope};
use crate::definition::{Column, kind};
use crate::schema;

/// Which template's files are stored, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimTemplateCacheSpec {
    /// The template.
    #[schemars(length(min = 1))]
    pub template_name: String,
    /// Where it lives; `Unknown`: in the namespace, else in the cluster.
    #[schemars(schema_with = "template_scope")]
    pub template_scope: Scope,
    /// Environment variables of the downloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// Accepted, without effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Of the claims; absent: the runtime configuration's, else the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// Accepted, without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_image: Option<String>,
    /// Accepted, without effect: the template's are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_sources: Vec<ModelSource>,
    /// Name of the runtime configurations; empty: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_config_name: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Shared"))]
    pub mode: Option<CacheMode>,
}

fn template_scope(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": ["Namespace", "Cluster", "Unknown"]})
}

/// A stored model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CachedArtifact {
    /// The artifact's uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its `modelId`.
    pub model: String,
    /// How it stands.
    pub status: ModelState,
    /// The claim that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<String>,
    /// Where containers find it, if not below `/workspace/cache`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_point: Option<String>,
}

/// How a cache stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimTemplateCacheStatus {
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
    /// One word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "Pending"))]
    pub status: Option<ModelState>,
    /// The kind of the template that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_template_kind: Option<String>,
    /// What is stored, by the artifact's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, CachedArtifact>,
}

kind! {
    /// The stored files of a template.
    AimTemplateCache is "AIMTemplateCache", "aimtemplatecaches", "aimtc", NamespaceResourceScope,
    AimTemplateCacheSpec, AimTemplateCacheStatus, "The stored files of a template's models.",
    without &[], columns &[
        Column::text("Template", ".spec.templateName"),
        Column::text("Mode", ".spec.mode"),
        Column::text("Status", ".status.status"),
        Column::text("Kind", ".status.resolvedTemplateKind"),
        Column::age(),
    ]
}
