//! `AIMArtifact`: one stored model.

use k8s_openapi::api::core::v1::{EnvVar, LocalObjectReference};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::common::{CacheMode, ModelState, ResolvedReference};
use crate::definition::{Column, kind};
use crate::schema;

/// What is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimArtifactSpec {
    /// `hf://org/name` or `s3://bucket/path`.
    #[schemars(
        length(min = 1),
        regex(pattern = "^(hf|s3)://[^ \\t\\r\\n]+$"),
        extend("x-kubernetes-validations" = json!([{"rule": "self == oldSelf", "message": "sourceUri cannot be changed"}]))
    )]
    pub source_uri: String,
    /// `org/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-zA-Z0-9_-]+/[a-zA-Z0-9._-]+$"))]
    pub model_id: Option<String>,
    /// Of the claim; absent: the runtime configuration's, else the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// Bytes of all files; absent or zero: to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub size: Option<Quantity>,
    /// Environment variables of the download.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::env")]
    pub env: Vec<EnvVar>,
    /// The image that downloads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "ghcr.io/silogen/aim-artifact-downloader:0.2.0"))]
    pub model_download_image: Option<String>,
    /// For that image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::pull_secrets")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Name of the runtime configurations; empty: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_config_name: Option<String>,
}

/// How far a download is. Written by the downloader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadProgress {
    /// Bytes in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<i64>,
    /// Bytes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downloaded_bytes: Option<i64>,
    /// Of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub percentage: Option<i32>,
    /// The same for people: `45 %`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_percentage: Option<String>,
}

/// How a download is done. Written by the downloader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadState {
    /// The protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Which attempt this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// Of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_attempts: Option<i32>,
    /// In which order protocols are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_sequence: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How an artifact stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AimArtifactStatus {
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
    /// How far the download is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<DownloadProgress>,
    /// How it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download: Option<DownloadState>,
    /// `42 GiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_size: Option<String>,
    /// Reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::time")]
    pub last_used: Option<Time>,
    /// The claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<CacheMode>,
    /// Bytes of all files, found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovered_size_bytes: Option<i64>,
    /// What the claim asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub allocated_size: Option<Quantity>,
    /// How much more that is than the files, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headroom_percent: Option<i32>,
}

kind! {
    /// One stored model.
    AimArtifact is "AIMArtifact", "aimartifacts", "aimart", NamespaceResourceScope,
    AimArtifactSpec, AimArtifactStatus, "The stored files of one model source.",
    without &[], columns &[
        Column::text("Status", ".status.status"),
        Column::text("Mode", ".status.mode"),
        Column::text("Model Size", ".status.displaySize"),
        Column::text("Progress", ".status.progress.displayPercentage"),
        Column::text("Protocol", ".status.download.protocol").wide(),
        Column::text("Attempt", ".status.download.attempt").wide(),
        Column::age(),
    ]
}
