//! The runtime configuration in force for an object.

use reeve_kube_kit::ObjectName;
use reeve_serving::config::{self, ConfigNotFound, RuntimeConfig};

use crate::caches::Caches;

/// The configuration of this name; objects of the cluster have no namespace and so only the cluster's.
pub(crate) fn in_force(
    caches: &Caches,
    namespace: Option<&str>,
    asked: Option<&str>,
) -> Result<RuntimeConfig, ConfigNotFound> {
    let name = config::name(asked);
    let cluster = caches.cluster_configs.get(&ObjectName::cluster(name));
    let namespaced =
        namespace.and_then(|namespace| caches.configs.get(&ObjectName::namespaced(namespace, name)));
    config::resolve(
        name,
        cluster.as_ref().map(|config| &config.spec),
        namespaced.as_ref().map(|config| &config.spec),
    )
}
