//! Kinds of other projects that hold pod templates, which their own controllers make pods of (R31).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of these kinds.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TemplateKind {
    /// KubeRay's cluster: a head and groups of workers.
    RayCluster,
    /// KubeRay's job, which makes a `RayCluster` and submits to it.
    RayJob,
    /// KubeRay's service, which makes a `RayCluster` and replaces it.
    RayService,
}

impl TemplateKind {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::RayCluster, Self::RayJob, Self::RayService];

    /// As Kubernetes calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RayCluster => "RayCluster",
            Self::RayJob => "RayJob",
            Self::RayService => "RayService",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Group and version: the only version in which its owner references count.
    pub fn api_version(self) -> String {
        format!("{}/{}", self.group(), self.version())
    }

    /// Its API group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::RayCluster | Self::RayJob | Self::RayService => "ray.io",
        }
    }

    /// The version that admission knows.
    pub const fn version(self) -> &'static str {
        match self {
            Self::RayCluster | Self::RayJob | Self::RayService => "v1",
        }
    }

    /// Its resource, as in the API server's paths.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::RayCluster => "rayclusters",
            Self::RayJob => "rayjobs",
            Self::RayService => "rayservices",
        }
    }
}
