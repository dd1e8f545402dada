//! What a workload's Job and its pods are told besides what runs in them.

use std::collections::BTreeMap;

use reeve_types::{LabelValue, MetadataName, NodeTypeName, Toleration};
use serde::{Deserialize, Serialize};

/// How many pods it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attempts {
    /// How many pods may fail until the workload has; 0: the first that fails ends it.
    pub backoff_limit: u32,
    /// How many pods have to end well; absent: one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completions: Option<u32>,
    /// How many of them run at once; absent: one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
}

/// Labels and annotations of the submitter's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnMetadata {
    /// Of the Job and its pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<MetadataName, LabelValue>,
    /// Of its pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<MetadataName, String>,
}

/// Which nodes it may run on, beside the project's pools (R34).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Placement {
    /// Nodes of this type alone; absent: of every.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_type: Option<NodeTypeName>,
    /// Taints that it is put up with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
}

/// A request over HTTP to the container itself that says whether it is ready. What is absent is as Kubernetes has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadinessProbe {
    /// The container's port.
    pub port: u16,
    /// The path; absent: `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// By HTTPS, whose certificate is not checked.
    #[serde(default)]
    pub https: bool,
    /// Seconds from its start to the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay_seconds: Option<u32>,
    /// Seconds between requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<u32>,
    /// Seconds that an answer may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// How many good answers in a row make it ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_threshold: Option<u32>,
    /// How many bad ones in a row make it not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
}

/// Whether nothing is said.
macro_rules! is_none {
    ($($name:ident),*) => {$(
        impl $name {
            /// Whether nothing is said.
            pub fn is_none(&self) -> bool {
                *self == Self::default()
            }
        }
    )*};
}

is_none!(Attempts, OwnMetadata, Placement);
