//! What all controllers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::{Client, ResourceExt};
use reeve_admission::names;
use reeve_crds::{AccessRule, CONFIG_NAME, PodIdentities, Project, ReeveConfig, ReeveConfigSpec, Workload};
use reeve_kube_kit::events::Events;
use reeve_kube_kit::serve::Readiness;
use reeve_kube_kit::{Mirror, Name, Queue};
use reeve_link::{ClusterSettings, KubernetesEndpoint};
use reeve_types::{AccessRuleId, Clock, ReservedNamespaces};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::board::Board;
use crate::link::known::Known;
use crate::org::{Claimant, Org};
use crate::workload::Podless;

/// A copy of everything that is read.
#[derive(Debug, Default)]
pub struct Mirrors {
    /// Projects.
    pub projects: Arc<Mirror<Project>>,
    /// Access rules.
    pub rules: Arc<Mirror<AccessRule>>,
    /// Workloads.
    pub workloads: Arc<Mirror<Workload>>,
    /// The settings.
    pub configs: Arc<Mirror<ReeveConfig>>,
    /// Namespaces.
    pub namespaces: Arc<Mirror<Namespace>>,
    /// RoleBindings, of every namespace.
    pub bindings: Arc<Mirror<RoleBinding>>,
    /// Whose each pod is, as it is written.
    pub identities: Arc<Mirror<PodIdentities>>,
    /// Jobs that are labelled as a workload's.
    pub jobs: Arc<Mirror<Job>>,
    /// Every pod, stripped to whose it is; those of workloads with their state.
    pub pods: Arc<Mirror<Pod>>,
    /// Installed policies.
    pub validating: Arc<Mirror<ValidatingAdmissionPolicy>>,
    /// Their bindings.
    pub validating_bindings: Arc<Mirror<ValidatingAdmissionPolicyBinding>>,
    /// Installed policies that fill in.
    pub mutating: Arc<Mirror<MutatingAdmissionPolicy>>,
    /// Their bindings.
    pub mutating_bindings: Arc<Mirror<MutatingAdmissionPolicyBinding>>,
}

/// What is to be looked at.
#[derive(Debug)]
pub struct Queues {
    /// Namespaces that are, were or may become a project's.
    pub namespaces: Queue<String>,
    /// Rules whose standing may be another.
    pub rules: Queue<AccessRuleId>,
    /// Workloads.
    pub workloads: Queue<Name>,
    /// Namespaces in which pods came, went or changed hands.
    pub identities: Queue<String>,
    /// The settings' status.
    pub config: Queue<()>,
    /// The policies.
    pub policies: Queue<()>,
}

/// Shared by all controllers.
pub struct World {
    /// Speaks to the API server.
    pub client: Client,
    /// Tells the time.
    pub clock: Clock,
    /// Publishes events.
    pub events: Events,
    /// What is missing for readiness.
    pub readiness: Readiness,
    /// News for the control plane.
    pub board: Board,
    /// Copies of what is read.
    pub mirrors: Mirrors,
    /// What is to be looked at.
    pub queues: Queues,
    /// What the link wrote.
    pub known: Mutex<Known>,
    /// Somebody else changed what the link wrote.
    pub drift: Notify,
    /// A project's namespace became usable.
    pub usable: Notify,
    /// What is wrong with the installed policies.
    pub alarms: RwLock<Vec<String>>,
    /// `v1.37.2`.
    pub kubernetes_version: String,
    /// How people reach the API server.
    pub endpoint: Option<KubernetesEndpoint>,
    /// Namespaces that are made for no project.
    pub reserved: ReservedNamespaces,
    /// Workloads whose Job has no pod.
    pub podless: Podless,
    org: RwLock<Org>,
    deleted: RwLock<Option<bool>>,
    recent: Mutex<HashMap<Name, (Instant, Wrote)>>,
}

/// How long a write of ours is believed in before the watch shows it.
const RECENT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrote {
    Made,
    Removed,
}

impl World {
    /// A world in which nothing is known yet.
    pub fn new(
        client: Client,
        clock: Clock,
        queues: Queues,
        kubernetes_version: String,
        endpoint: Option<KubernetesEndpoint>,
        reserved: ReservedNamespaces,
    ) -> Self {
        Self {
            events: Events::new(client.clone(), crate::MANAGER),
            client,
            clock,
            readiness: Readiness::default(),
            board: Board::default(),
            mirrors: Mirrors::default(),
            queues,
            known: Mutex::default(),
            drift: Notify::new(),
            usable: Notify::new(),
            alarms: RwLock::default(),
            kubernetes_version,
            endpoint,
            reserved,
            podless: Podless::default(),
            org: RwLock::default(),
            deleted: RwLock::default(),
            recent: Mutex::default(),
        }
    }

    /// Projects and rules.
    pub fn org(&self) -> RwLockReadGuard<'_, Org> {
        self.org.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Projects and rules, to change.
    pub fn org_mut(&self) -> RwLockWriteGuard<'_, Org> {
        self.org.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The projects that claim a namespace; first the one whose it is.
    pub fn claimants(&self, namespace: &str) -> Vec<Claimant> {
        let object = self.mirrors.namespaces.get(&Name::cluster(namespace));
        let labelled = object
            .as_ref()
            .and_then(|object| object.labels().get(names::PROJECT));
        self.org().claimants(namespace, labelled.map(String::as_str))
    }

    /// What the link wrote.
    pub fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the cluster was deleted on the control plane; `None` before the link was told either way.
    pub fn deleted(&self) -> Option<bool> {
        *self.deleted.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link was told. True when that is news.
    pub fn set_deleted(&self, deleted: bool) -> bool {
        let before = self
            .deleted
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(deleted);
        let news = before != Some(deleted);
        if news {
            self.queues.config.add(());
        }
        news
    }

    /// The cluster's settings: strict where nothing says otherwise.
    pub fn settings(&self) -> ReeveConfigSpec {
        let all: Vec<ReeveConfigSpec> = self
            .mirrors
            .configs
            .all()
            .iter()
            .map(|config| config.spec.clone())
            .collect();
        crate::config::strictest(&all)
    }

    /// The settings' object.
    pub fn config(&self) -> Option<Arc<ReeveConfig>> {
        self.mirrors.configs.get(&Name::cluster(CONFIG_NAME))
    }

    /// What the control plane is told of the cluster.
    pub fn cluster_settings(&self) -> ClusterSettings {
        let settings = self.settings();
        ClusterSettings {
            enforce_run_as_user: settings.enforce_run_as_user,
            enforce_prevent_privilege_escalation: settings.enforce_prevent_privilege_escalation,
            kubernetes_version: self.kubernetes_version.clone(),
            operator_version: crate::VERSION.to_owned(),
            kubernetes_endpoint: self.endpoint.clone(),
            policy_alarms: self.alarms.read().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Remembers that this was just created, until the watch shows it.
    pub fn just_made(&self, name: Name) {
        self.just(name, Wrote::Made);
    }

    /// Remembers that this was just removed, until the watch shows it.
    pub fn just_removed(&self, name: Name) {
        self.just(name, Wrote::Removed);
    }

    fn just(&self, name: Name, wrote: Wrote) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (since, _)| since.elapsed() < RECENT);
        recent.insert(name, (Instant::now(), wrote));
    }

    fn was_just(&self, name: &Name, wrote: Wrote) -> bool {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .get(name)
            .is_some_and(|(since, what)| since.elapsed() < RECENT && *what == wrote)
    }

    /// Whether this was created so shortly ago that the watch need not have shown it yet.
    pub fn was_just_made(&self, name: &Name) -> bool {
        self.was_just(name, Wrote::Made)
    }

    /// Whether this was removed so shortly ago that the watch need not have shown it yet.
    pub fn was_just_removed(&self, name: &Name) -> bool {
        self.was_just(name, Wrote::Removed)
    }

    /// The watch shows that it is there, or that it is not.
    pub fn seen(&self, name: &Name, there: bool) {
        let wrote = if there { Wrote::Made } else { Wrote::Removed };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.get(name).is_some_and(|(_, what)| *what == wrote) {
            recent.remove(name);
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
