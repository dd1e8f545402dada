//! What is known of this cluster as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use reeve_kube_kit::Subscribers;
use reeve_link::{ClusterSettings, KubernetesEndpoint};

use crate::caches::Caches;

/// The state of the cluster.
#[derive(Debug)]
pub struct ClusterState {
    caches: Arc<Caches>,
    kubernetes_version: String,
    endpoint: Option<KubernetesEndpoint>,
    alarms: RwLock<Vec<String>>,
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
    ) -> Self {
        Self {
            caches,
            kubernetes_version,
            endpoint,
            alarms: RwLock::default(),
            deleted: RwLock::default(),
            changed: Subscribers::default(),
        }
    }

    /// What is wrong with the installed policies, a sentence each.
    pub fn alarms(&self) -> Vec<String> {
        self.alarms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The policies were looked at. Answers what was wrong with them before.
    pub fn replace_alarms(&self, alarms: Vec<String>) -> Vec<String> {
        let mut held = self.alarms.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, alarms)
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
        }
    }
}
