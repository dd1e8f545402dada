//! The ten kinds of `aim.eai.amd.com/v1alpha1`, the model-serving resources.
//!
//! Names, fields, defaults and rules are those that manifests and clients of this API group already use; a manifest written
//! for the reference operator is accepted unchanged. What a schema can hold is in the schema, as OpenAPI and CEL; there is no
//! webhook.
//!
//! | Kind | Scope | Made by |
//! |---|---|---|
//! | [`AimService`] | namespace | people: serve this model |
//! | [`AimModel`], [`AimClusterModel`] | namespace, cluster | people, a service, a model source |
//! | [`AimServiceTemplate`], [`AimClusterServiceTemplate`] | namespace, cluster | a model, people |
//! | [`AimTemplateCache`] | namespace | a service, a template |
//! | [`AimArtifact`] | namespace | a cache |
//! | [`AimClusterModelSource`] | cluster | people |
//! | [`AimRuntimeConfig`], [`AimClusterRuntimeConfig`] | namespace, cluster | people |
//!
//! **Reading never fails on what the API server accepts.** `spec` is no required field of any kind, so every spec has a
//! default; quantities may be numbers or text; what is `null` is absent. One object that cannot be read would blind a watch
//! to all others.
//!
//! **Immutable** fields are CEL transition rules: on optional fields they hold only while the field is there before and
//! after. One that is absent can be added once, and removing one is not refused.

mod artifact;
mod common;
mod definition;
mod model;
mod model_source;
mod routing;
mod runtime_config;
mod schema;
mod service;
mod template;
mod template_cache;

pub use artifact::{AimArtifact, AimArtifactSpec, AimArtifactStatus, DownloadProgress, DownloadState};
pub use common::{
    CacheMode, CpuRequirements, GpuRequirements, HardwareRequirements, Metric, ModelSource, ModelState,
    Precision, ProfileType, ResolvedReference, Scope,
};
pub use definition::{DefinitionError, GROUP, VERSION, all, all_yaml};
pub use model::{
    AimClusterModel, AimModel, AimModelSpec, AimModelStatus, CustomModelDefaults, CustomTemplate,
    CustomTemplateProfile, ImageMetadata, ModelDiscovery, ModelMetadata, OciMetadata, RecommendedDeployment,
    SourceType,
};
pub use model_source::{
    AimClusterModelSource, AimClusterModelSourceSpec, AimClusterModelSourceStatus, ImageFilter, SourceState,
};
pub use routing::{GatewayReference, RoutingConfig};
pub use runtime_config::{
    AimClusterRuntimeConfig, AimRuntimeConfig, AimRuntimeConfigSpec, AimRuntimeConfigStatus,
    LabelPropagation, ModelConfig, StorageConfig,
};
pub use service::{
    AimService, AimServiceSpec, AimServiceStatus, AutoScaling, CacheStatus, CachingMode, CustomModel,
    MetricSource, MetricTarget, PodMetric, PodMetricQuery, RoutingStatus, RuntimeParameters, RuntimeStatus,
    ServiceCaching, ServiceModel, ServiceState, ServiceTemplateChoice,
};
pub use template::{
    AimClusterServiceTemplate, AimServiceTemplate, AimServiceTemplateSpec, AimServiceTemplateStatus,
    DiscoveryStatus, Profile, ProfileMetadata, TemplateCaching,
};
pub use template_cache::{AimTemplateCache, AimTemplateCacheSpec, AimTemplateCacheStatus, CachedArtifact};
