//! Copies of every kind that is read.

use std::sync::Arc;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Namespace, Node, PersistentVolumeClaim, Pod, ServiceAccount};
use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_kube_kit::{Cache, ObjectName, Registry, Watch};
use reeve_serving::plan::artifact::ACCOUNT;
use reeve_serving_crds::{
    AimArtifact, AimClusterModel, AimClusterModelSource, AimClusterRuntimeConfig, AimClusterServiceTemplate,
    AimModel, AimRuntimeConfig, AimService, AimServiceTemplate, AimTemplateCache,
};
use serde::Serialize;
use serde_json::Value;

use crate::foreign::{HttpRoute, InferenceService};

/// The label of what belongs to a service.
const OF_SERVICE: &str = "aim.eai.amd.com/service";
/// The label of what belongs to an artifact.
pub(crate) const OF_ARTIFACT: &str = "aim.eai.amd.com/cache.name";
/// The label of what belongs to a template.
pub(crate) const OF_TEMPLATE: &str = "aim.eai.amd.com/template";
/// The label that KServe gives the pods of an InferenceService.
pub(crate) const OF_INFERENCE: &str = "serving.kserve.io/inferenceservice";

/// What is read of the cluster. Pods are read by the labels of whom they concern: nobody else's pods are.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) services: Arc<Cache<AimService>>,
    pub(crate) models: Arc<Cache<AimModel>>,
    pub(crate) cluster_models: Arc<Cache<AimClusterModel>>,
    pub(crate) sources: Arc<Cache<AimClusterModelSource>>,
    pub(crate) templates: Arc<Cache<AimServiceTemplate>>,
    pub(crate) cluster_templates: Arc<Cache<AimClusterServiceTemplate>>,
    pub(crate) template_caches: Arc<Cache<AimTemplateCache>>,
    pub(crate) artifacts: Arc<Cache<AimArtifact>>,
    pub(crate) configs: Arc<Cache<AimRuntimeConfig>>,
    pub(crate) cluster_configs: Arc<Cache<AimClusterRuntimeConfig>>,
    pub(crate) inference: Arc<Cache<InferenceService>>,
    pub(crate) inference_events: Arc<Cache<Event>>,
    pub(crate) inference_pods: Arc<Cache<Pod>>,
    pub(crate) autoscalers: Arc<Cache<HorizontalPodAutoscaler>>,
    pub(crate) routes: Arc<Cache<HttpRoute>>,
    pub(crate) discovery_jobs: Arc<Cache<Job>>,
    pub(crate) discovery_pods: Arc<Cache<Pod>>,
    pub(crate) artifact_jobs: Arc<Cache<Job>>,
    pub(crate) artifact_pods: Arc<Cache<Pod>>,
    pub(crate) claims: Arc<Cache<PersistentVolumeClaim>>,
    pub(crate) accounts: Arc<Cache<ServiceAccount>>,
    pub(crate) bindings: Arc<Cache<RoleBinding>>,
    pub(crate) nodes: Arc<Cache<Node>>,
    pub(crate) namespaces: Arc<Cache<Namespace>>,
}

impl Caches {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let pods = |label: &str| Watch::<Pod>::default().labels(label).trim(status_of_pod);
        Self {
            services: registry.cache(Watch::default()),
            models: registry.cache(Watch::default()),
            cluster_models: registry.cache(Watch::default()),
            sources: registry.cache(Watch::default()),
            templates: registry.cache(Watch::default().trim(nothing)),
            cluster_templates: registry.cache(Watch::default().trim(nothing)),
            template_caches: registry.cache(Watch::default()),
            artifacts: registry.cache(Watch::default()),
            configs: registry.cache(Watch::default()),
            cluster_configs: registry.cache(Watch::default()),
            inference: registry.cache(Watch::default().labels(OF_SERVICE).trim(nothing)),
            inference_events: registry
                .cache(Watch::default().fields("involvedObject.kind=InferenceService,type=Warning")),
            inference_pods: registry.cache(pods(OF_INFERENCE)),
            autoscalers: registry.cache(Watch::default().labels(OF_SERVICE)),
            routes: registry.cache(Watch::default().labels(OF_SERVICE).trim(nothing)),
            discovery_jobs: registry.cache(Watch::default().labels("app.kubernetes.io/name=aim-discovery")),
            discovery_pods: registry.cache(pods("app.kubernetes.io/name=aim-discovery")),
            artifact_jobs: registry.cache(Watch::default().labels(OF_ARTIFACT)),
            artifact_pods: registry.cache(pods(OF_ARTIFACT)),
            claims: registry.cache(Watch::default().labels(OF_ARTIFACT)),
            accounts: registry.cache(of_account().trim(nothing)),
            bindings: registry.cache(of_account().trim(nothing)),
            nodes: registry.cache(Watch::default().trim(labels_of_node)),
            namespaces: registry.cache(Watch::default()),
        }
    }

    /// An object that is there, as JSON; `None` also for kinds that are not read.
    pub(crate) fn find(&self, kind: &str, name: &ObjectName) -> Option<Value> {
        match kind {
            "AIMModel" => value(&self.models, name),
            "AIMClusterModel" => value(&self.cluster_models, name),
            "AIMServiceTemplate" => value(&self.templates, name),
            "AIMClusterServiceTemplate" => value(&self.cluster_templates, name),
            "AIMTemplateCache" => value(&self.template_caches, name),
            "AIMArtifact" => value(&self.artifacts, name),
            "InferenceService" => value(&self.inference, name),
            "HTTPRoute" => value(&self.routes, name),
            "Job" => value(&self.discovery_jobs, name).or_else(|| value(&self.artifact_jobs, name)),
            "PersistentVolumeClaim" => value(&self.claims, name),
            "ServiceAccount" => value(&self.accounts, name),
            "RoleBinding" => value(&self.bindings, name),
            _ => None,
        }
    }

    /// Whether a namespace is on its way out, or gone: nothing in it is worth tidying.
    pub(crate) fn is_ending(&self, namespace: &str) -> bool {
        let found = self.namespaces.get(&ObjectName::cluster(namespace));
        found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some())
    }

    /// The GPUs of the cluster, by the labels of its nodes.
    pub(crate) fn inventory(&self) -> reeve_serving::gpu::Inventory {
        let nodes = self.nodes.all();
        reeve_serving::gpu::inventory(nodes.iter().filter_map(|node| node.metadata.labels.as_ref()))
    }
}

/// What bears the name of the account of downloads.
fn of_account<K: kube::Resource>() -> Watch<K> {
    Watch::default().fields(&format!("metadata.name={ACCOUNT}"))
}

fn value<K: Serialize>(cache: &Cache<K>, name: &ObjectName) -> Option<Value> {
    serde_json::to_value(&*cache.get(name)?).ok()
}

/// Of what is kept as it is planned the owners of fields are read, too ([`crate::owned`]).
fn nothing<K>(_: &mut K) {}

/// Nobody here reads what a pod is to be.
fn status_of_pod(pod: &mut Pod) {
    pod.metadata.managed_fields = None;
    pod.spec = None;
}

fn labels_of_node(node: &mut Node) {
    node.metadata.managed_fields = None;
    node.metadata.annotations = None;
    node.spec = None;
    node.status = None;
}
