//! What every controller is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use reeve_kube_kit::lease::Lease;
use reeve_kube_kit::{Context, ObjectName, Registry};
use tokio::time::Instant;

use crate::asked::Asked;
use crate::caches::Caches;
use crate::registry::{Registry as ImageRegistry, RegistryError, RegistrySettings};

/// The lease under which discoveries are begun: of several processes one at a time counts them and adds one.
const DISCOVERY_LEASE: &str = "aim-discovery-lock";
/// How long the lease of discoveries is waited for.
pub(crate) const LEASE_PATIENCE: Duration = Duration::from_secs(30);
/// How long a Job that was made is counted before the cache shows it.
const RECENT: Duration = Duration::from_secs(10);

/// What a run of the operator is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operator's namespace: Jobs of the cluster's templates run there, and its leases are there.
    pub namespace: String,
    /// What this process is called in leases; no other may be called so.
    pub identity: String,
    /// Which registries are asked, and how.
    pub registry: RegistrySettings,
    /// The image that downloads, for artifacts that name none or the reference's; `None`: the reference's.
    pub download_image: Option<String>,
}

/// What every controller is given.
#[derive(Debug)]
pub struct Shared {
    pub(crate) context: Arc<Context>,
    pub(crate) caches: Caches,
    pub(crate) settings: Settings,
    pub(crate) registry: Arc<ImageRegistry>,
    pub(crate) asked: Asked,
    pub(crate) discovery: tokio::sync::Mutex<()>,
    begun: Mutex<BTreeMap<ObjectName, Instant>>,
}

impl Shared {
    /// Registers every cache.
    ///
    /// # Errors
    /// When no client for image registries can be made of the settings.
    pub fn new(
        context: Arc<Context>,
        registry: &mut Registry,
        settings: Settings,
    ) -> Result<Arc<Self>, RegistryError> {
        Ok(Arc::new(Self {
            context,
            caches: Caches::new(registry),
            registry: Arc::new(ImageRegistry::new(&settings.registry)?),
            asked: Asked::default(),
            settings,
            discovery: tokio::sync::Mutex::default(),
            begun: Mutex::default(),
        }))
    }

    pub(crate) fn now(&self) -> Time {
        reeve_kube_kit::condition::time(self.context.clock.now())
    }

    pub(crate) fn discovery_lease(&self) -> Lease {
        Lease::new(
            self.context.client.clone(),
            &self.settings.namespace,
            DISCOVERY_LEASE,
            &self.settings.identity,
            self.context.clock.clone(),
        )
    }

    /// How many discoveries run, with those that were begun so shortly ago that the cache need not show them.
    pub(crate) fn discoveries(&self) -> usize {
        let jobs = self.caches.discovery_jobs.all();
        let running = jobs
            .iter()
            .filter(|job| !reeve_serving::inspect::is_finished(job))
            .count();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun
            .retain(|name, since| since.elapsed() < RECENT && self.caches.discovery_jobs.get(name).is_none());
        running + begun.len()
    }

    pub(crate) fn begins_discovery(&self, name: ObjectName) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(name, Instant::now());
    }
}
