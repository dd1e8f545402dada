//! The kinds that several controllers read, each cached once. A kind that one controller alone reads is cached in that
//! controller's own file.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use reeve_crds::{AccessRule, CONFIG_NAME, PodIdentities, Project, ReeveConfig, ReeveConfigSpec, Workload};
use reeve_kube_kit::{Cache, ObjectName, Registry, Turns, Watch};
use reeve_types::Switches;
use reeve_workload::WORKLOAD_LABEL;

use crate::cached::{CachedJob, CachedPod};
use crate::cluster_configs::ClusterConfigs;
use crate::limit_ranges::LimitRanges;
use crate::{settings, slim};

/// How many objects that may be large are asked for at once, of one kind at a time: a page of the largest ones is some megabytes, and
/// several times that once it is read, whatever somebody wrote into their annotations.
const PAGE: u32 = 5;

/// A copy of everything that is read by more than one controller.
#[derive(Debug)]
pub struct Caches {
    /// Projects.
    pub projects: Arc<Cache<Project>>,
    /// Access rules.
    pub rules: Arc<Cache<AccessRule>>,
    /// Workloads, without what makes them large.
    pub workloads: Arc<Cache<Workload>>,
    /// The settings.
    pub configs: Arc<Cache<ReeveConfig>>,
    /// The reference's ConfigMaps of settings.
    pub cluster_configs: Arc<ClusterConfigs>,
    /// LimitRanges and quotas, while the switch is on.
    pub limit_ranges: Arc<LimitRanges>,
    /// Namespaces.
    pub namespaces: Arc<Cache<Namespace>>,
    /// RoleBindings, of every namespace.
    pub bindings: Arc<Cache<RoleBinding>>,
    /// Whose each pod is, as it is written.
    pub identities: Arc<Cache<PodIdentities>>,
    /// Jobs that are labelled as a workload's.
    pub jobs: Arc<Cache<CachedJob>>,
    /// Every pod, trimmed to whose it is; those of workloads with their state.
    pub pods: Arc<Cache<CachedPod>>,
}

impl Caches {
    /// Has every kind watched by `registry`.
    pub fn new(registry: &mut Registry) -> Self {
        let turns = Turns::default();
        Self {
            projects: registry.cache(Watch::default().trim(slim::managers)),
            rules: registry.cache(Watch::default().trim(slim::managers)),
            workloads: registry.cache(
                Watch::default()
                    .page_size(PAGE)
                    .in_turn(&turns)
                    .trim(slim::workload),
            ),
            configs: registry.cache(Watch::default()),
            cluster_configs: ClusterConfigs::new(registry),
            limit_ranges: LimitRanges::new(registry),
            namespaces: registry.cache(Watch::default().trim(slim::all_managers)),
            bindings: registry.cache(Watch::default().trim(slim::managers)),
            jobs: registry.cache(
                Watch::default()
                    .labels(WORKLOAD_LABEL)
                    .page_size(PAGE)
                    .in_turn(&turns)
                    .trim(CachedJob::trim),
            ),
            pods: registry.cache(
                Watch::default()
                    .page_size(PAGE)
                    .in_turn(&turns)
                    .trim(CachedPod::trim),
            ),
            identities: registry.cache(Watch::default()),
        }
    }

    /// The cluster's settings: strict where nothing says otherwise, and whatever a `cluster-config` demands.
    pub fn settings(&self) -> ReeveConfigSpec {
        let all = self.configs.all();
        let all: Vec<ReeveConfigSpec> = all.iter().map(|config| config.spec.clone()).collect();
        settings::with_demanded(settings::strictest(&all), &self.cluster_configs.demanded())
    }

    /// The settings as they hold in one namespace: nothing is filled in for GPUs where somebody else's LimitRange decides.
    pub fn settings_in(&self, namespace: &str) -> ReeveConfigSpec {
        let settings = self.settings();
        let (_, others) = self.limit_ranges.in_namespace(namespace);
        if others.is_empty() {
            return settings;
        }
        let factors = settings.limit_range.unwrap_or_default().without_gpu();
        ReeveConfigSpec {
            limit_range: Some(factors),
            ..settings
        }
    }

    /// Which of the cluster's switches are on.
    pub fn switches(&self) -> Switches {
        self.settings().switches()
    }

    /// The settings' object.
    pub fn config(&self) -> Option<Arc<ReeveConfig>> {
        self.configs.get(&ObjectName::cluster(CONFIG_NAME))
    }
}
