//! Kinds of other projects that hold pod templates, which their own controllers make pods of, and the kinds of model serving, of which
//! its operator makes pods (R31).

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
    /// KServe's service: its predictor is a pod's spec, of which KServe makes a Deployment.
    InferenceService,
    /// Model serving: a model that is served. Its operator makes an `InferenceService` of it, and the four kinds below.
    AIMService,
    /// Model serving: an image, of which templates are made.
    AIMModel,
    /// Model serving: how a model is run, which a Job finds out.
    AIMServiceTemplate,
    /// Model serving: the files of a template, of which artifacts are made.
    AIMTemplateCache,
    /// Model serving: files of one source, which a Job downloads.
    AIMArtifact,
}

impl TemplateKind {
    /// Every one, owners after what they own.
    pub const ALL: [Self; 9] = [
        Self::RayCluster,
        Self::RayJob,
        Self::RayService,
        Self::InferenceService,
        Self::AIMArtifact,
        Self::AIMTemplateCache,
        Self::AIMServiceTemplate,
        Self::AIMModel,
        Self::AIMService,
    ];

    /// As Kubernetes calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RayCluster => "RayCluster",
            Self::RayJob => "RayJob",
            Self::RayService => "RayService",
            Self::InferenceService => "InferenceService",
            Self::AIMService => "AIMService",
            Self::AIMModel => "AIMModel",
            Self::AIMServiceTemplate => "AIMServiceTemplate",
            Self::AIMTemplateCache => "AIMTemplateCache",
            Self::AIMArtifact => "AIMArtifact",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the stamp is on the object itself, since it holds no template of a pod: all that its controller makes of it runs as
    /// the person of that stamp.
    pub const fn is_stamped_whole(self) -> bool {
        match self {
            Self::RayCluster | Self::RayJob | Self::RayService | Self::InferenceService => false,
            Self::AIMService
            | Self::AIMModel
            | Self::AIMServiceTemplate
            | Self::AIMTemplateCache
            | Self::AIMArtifact => true,
        }
    }

    /// Group and version: the only version in which its owner references count.
    pub fn api_version(self) -> String {
        format!("{}/{}", self.group(), self.version())
    }

    /// Its API group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::RayCluster | Self::RayJob | Self::RayService => "ray.io",
            Self::InferenceService => "serving.kserve.io",
            Self::AIMService
            | Self::AIMModel
            | Self::AIMServiceTemplate
            | Self::AIMTemplateCache
            | Self::AIMArtifact => "aim.eai.amd.com",
        }
    }

    /// The version that admission knows.
    pub const fn version(self) -> &'static str {
        match self {
            Self::RayCluster | Self::RayJob | Self::RayService => "v1",
            Self::InferenceService => "v1beta1",
            Self::AIMService
            | Self::AIMModel
            | Self::AIMServiceTemplate
            | Self::AIMTemplateCache
            | Self::AIMArtifact => "v1alpha1",
        }
    }

    /// Its resource, as in the API server's paths.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::RayCluster => "rayclusters",
            Self::RayJob => "rayjobs",
            Self::RayService => "rayservices",
            Self::InferenceService => "inferenceservices",
            Self::AIMService => "aimservices",
            Self::AIMModel => "aimmodels",
            Self::AIMServiceTemplate => "aimservicetemplates",
            Self::AIMTemplateCache => "aimtemplatecaches",
            Self::AIMArtifact => "aimartifacts",
        }
    }
}
