//! What the parts of this operator are built from.

use std::sync::Arc;

use reeve_kube_kit::{Context, Registry};
use reeve_link::KubernetesEndpoint;
use reeve_types::ReservedNamespaces;

use crate::args::Admission;
use crate::caches::Caches;
use crate::cluster::ClusterState;
use crate::credentials::Credentials;
use crate::namespace_locks::NamespaceLocks;
use crate::projects::Projects;
use crate::secret_reports::SecretReports;
use crate::secret_sources::SecretSources;
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
    /// Who writes into a project's namespace and who gives it up take turns.
    pub(crate) namespaces: Arc<NamespaceLocks>,
    /// What is known of the cluster.
    pub cluster: Arc<ClusterState>,
    /// News for the control plane.
    pub outbox: Arc<StatusOutbox>,
    /// Namespaces that are made for no project.
    pub reserved: ReservedNamespaces,
    /// What enforces the admission rules.
    pub admission: Admission,
    /// What the control plane keeps for this cluster.
    pub credentials: Arc<Credentials>,
    /// The Secrets that are for projects.
    pub secret_sources: Arc<SecretSources>,
    /// How they stand in each project.
    pub secret_reports: Arc<SecretReports>,
}

impl Shared {
    /// Has the caches watched by `registry`.
    pub fn new(
        context: Arc<Context>,
        registry: &mut Registry,
        kubernetes_version: String,
        endpoint: Option<KubernetesEndpoint>,
        reserved: ReservedNamespaces,
        admission: Admission,
        secret_namespaces: &[String],
    ) -> Self {
        let caches = Arc::new(Caches::new(registry));
        let secret_sources = SecretSources::new(secret_namespaces);
        let watched = secret_sources.clone();
        registry.add_task(
            "secret sources",
            watched.watch(context.client.clone(), caches.clone()),
        );
        Self {
            context,
            projects: Projects::new(&caches),
            cluster: Arc::new(ClusterState::new(
                caches.clone(),
                kubernetes_version,
                endpoint,
                admission,
            )),
            caches,
            namespaces: Arc::default(),
            outbox: Arc::default(),
            credentials: Arc::default(),
            reserved,
            admission,
            secret_sources,
            secret_reports: Arc::default(),
        }
    }
}
