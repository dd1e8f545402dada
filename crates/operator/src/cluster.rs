//! What is known of this cluster as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use reeve_kube_kit::Subscribers;
use reeve_link::{ClusterSettings, Dependency, Issue, KubernetesEndpoint};

use crate::args::Admission;
use crate::caches::Caches;
use crate::prerequisites;

/// What was found when the policies were looked at.
#[derive(Debug, Clone, Default)]
struct Alarms {
    sentences: Vec<String>,
    /// None of the policies is there.
    none_installed: bool,
}

/// The state of the cluster.
#[derive(Debug)]
pub struct ClusterState {
    caches: Arc<Caches>,
    kubernetes_version: String,
    endpoint: Option<KubernetesEndpoint>,
    admission: Admission,
    /// `None` until the policies were looked at.
    alarms: RwLock<Option<Alarms>>,
    issues: RwLock<Vec<Issue>>,
    deleted: RwLock<Option<bool>>,
    /// The policies were looked at, or the control plane said whether the cluster is there.
    pub changed: Subscribers<()>,
}

impl ClusterState {
    /// A cluster of which nothing else is known yet. `kubernetes_version` is `v1.37.2`; `endpoint` is how people reach the API
    /// server.
    pub fn new(
        caches: Arc<Caches>,
        kubernetes_version: String,
        endpoint: Option<KubernetesEndpoint>,
        admission: Admission,
    ) -> Self {
        Self {
            caches,
            kubernetes_version,
            endpoint,
            admission,
            alarms: RwLock::default(),
            issues: RwLock::default(),
            deleted: RwLock::default(),
            changed: Subscribers::default(),
        }
    }

    /// What is wrong with the installed policies, a sentence each.
    pub fn alarms(&self) -> Vec<String> {
        let held = self.alarms.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|it| it.sentences.clone()).unwrap_or_default()
    }

    /// Whether the policies were looked at and are as they were installed.
    pub fn are_policies_intact(&self) -> bool {
        let held = self.alarms.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().is_some_and(|it| it.sentences.is_empty())
    }

    /// The policies were looked at: a sentence for each that is not as it has to be, and whether none is there at all. Answers
    /// what was wrong with them before.
    pub fn replace_alarms(&self, sentences: Vec<String>, none_installed: bool) -> Vec<String> {
        let mut held = self.alarms.write().unwrap_or_else(PoisonError::into_inner);
        let alarms = Alarms {
            sentences,
            none_installed,
        };
        held.replace(alarms).unwrap_or_default().sentences
    }

    /// What is wrong with the cluster's settings, besides the policies.
    pub fn set_issues(&self, issues: Vec<Issue>) {
        *self.issues.write().unwrap_or_else(PoisonError::into_inner) = issues;
    }

    /// What the cluster has to have.
    fn dependencies(&self) -> Vec<Dependency> {
        let held = self.alarms.read().unwrap_or_else(PoisonError::into_inner);
        let none_installed = held.as_ref().map(|it| it.none_installed);
        prerequisites::of(self.admission, &self.kubernetes_version, none_installed)
    }

    /// Whether the cluster was deleted on the control plane; `None` before that was told either way.
    pub fn deleted(&self) -> Option<bool> {
        *self.deleted.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was told. True when that is news.
    pub fn set_deleted(&self, deleted: bool) -> bool {
        let before = self
            .deleted
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(deleted);
        let news = before != Some(deleted);
        if news {
            self.changed.tell(&());
        }
        news
    }

    /// What the control plane is told of the cluster.
    pub fn settings(&self) -> ClusterSettings {
        let settings = self.caches.settings();
        ClusterSettings {
            enforce_run_as_user: settings.enforce_run_as_user,
            enforce_prevent_privilege_escalation: settings.enforce_prevent_privilege_escalation,
            kubernetes_version: self.kubernetes_version.clone(),
            operator_version: crate::VERSION.to_owned(),
            kubernetes_endpoint: self.endpoint.clone(),
            policy_alarms: self.alarms(),
            dependencies: self.dependencies(),
            issues: self.issues.read().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
