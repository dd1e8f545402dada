//! What the parts of this operator are built from.

use std::sync::Arc;

use reeve_kube_kit::{Context, Registry};
use reeve_link::KubernetesEndpoint;
use reeve_types::ReservedNamespaces;

use crate::caches::Caches;
use crate::cluster::ClusterState;
use crate::projects::Projects;
use crate::status_outbox::StatusOutbox;

/// What controllers and link are built from. None of them keeps it: each takes what it needs.
#[derive(Debug)]
pub struct Shared {
    /// Client, clock, events, readiness.
    pub context: Arc<Context>,
    /// Copies of what several of them read.
    pub caches: Arc<Caches>,
    /// Projects and rules, indexed.
    pub projects: Arc<Projects>,
    /// What is known of the cluster.
    pub cluster: Arc<ClusterState>,
    /// News for the control plane.
    pub outbox: Arc<StatusOutbox>,
    /// Namespaces that are made for no project.
    pub reserved: ReservedNamespaces,
}

impl Shared {
    /// Has the caches watched by `registry`.
    pub fn new(
        context: Arc<Context>,
        registry: &mut Registry,
        kubernetes_version: String,
        endpoint: Option<KubernetesEndpoint>,
        reserved: ReservedNamespaces,
    ) -> Self {
        let caches = Arc::new(Caches::new(registry));
        Self {
            context,
            projects: Projects::new(&caches),
            cluster: Arc::new(ClusterState::new(caches.clone(), kubernetes_version, endpoint)),
            caches,
            outbox: Arc::default(),
            reserved,
        }
    }
}
