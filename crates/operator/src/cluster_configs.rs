//! What the reference's `cluster-config` ConfigMaps demand, kept up to date by caches of the two namespaces where they count.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use reeve_admission::names;
use reeve_kube_kit::{Change, ObjectName, Optional, Readable, Registry, Subscribers, Watch};
use reeve_tenancy::cluster_config::{self, ClusterConfig, Malformed, PLACES};
use tokio::sync::watch;

use crate::slim;

/// The ConfigMaps, each read once when it changes.
#[derive(Debug)]
pub struct ClusterConfigs {
    places: Vec<(&'static str, Arc<Optional<ConfigMap>>)>,
    read: RwLock<BTreeMap<ObjectName, Result<ClusterConfig, Malformed>>>,
    /// They may demand something else now.
    pub changed: Subscribers<()>,
}

/// What they demand together. Pure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demanded {
    /// The strictest of all, and of what cannot be understood or read.
    pub config: ClusterConfig,
    /// Which ConfigMaps there are, `namespace/name`.
    pub objects: Vec<String>,
    /// What is wrong, a sentence each: why everything is enforced.
    pub problems: Vec<String>,
}

impl Demanded {
    /// Of what was read and of the namespaces that cannot be read, each with the API server's words.
    pub fn of<'a>(
        read: impl IntoIterator<Item = (&'a ObjectName, &'a Result<ClusterConfig, Malformed>)>,
        unreadable: &[(&str, String)],
    ) -> Self {
        let mut all = Self::default();
        for (name, one) in read {
            all.objects.push(name.to_string());
            match one {
                Ok(config) => all.config = all.config.or(*config),
                Err(malformed) => all.problems.push(malformed.to_string()),
            }
        }
        let label = names::CLUSTER_CONFIG;
        all.problems.extend(unreadable.iter().map(|(namespace, why)| {
            format!(
                "the ConfigMaps of the namespace `{namespace}` cannot be read ({why}), so both settings are enforced: apply the \
                 chart again, which lets the operator list those with the label {label}"
            )
        }));
        if !all.problems.is_empty() {
            all.config = ClusterConfig::STRICT;
        }
        all
    }
}

impl ClusterConfigs {
    /// Has them watched by `registry`.
    pub fn new(registry: &mut Registry) -> Arc<Self> {
        let always = watch::Sender::new(true).subscribe();
        let watched = |namespace: &'static str, registry: &mut Registry| {
            let selector = format!("{}={}", names::CLUSTER_CONFIG, names::ON);
            let watch = Watch::default().labels(&selector).trim(slim::cluster_config);
            let api = Api::namespaced(registry.client(), namespace);
            (namespace, registry.optional(api, watch, always.clone()))
        };
        let configs = Arc::new(Self {
            places: PLACES
                .into_iter()
                .map(|namespace| watched(namespace, registry))
                .collect(),
            read: RwLock::default(),
            changed: Subscribers::default(),
        });
        for (_, place) in &configs.places {
            let hears = configs.clone();
            place.cache.subscribe(move |change| hears.hear(change));
            let hears = configs.clone();
            place.changed.subscribe(move |()| hears.changed.tell(&()));
        }
        configs
    }

    fn hear(&self, change: &Change<ConfigMap>) {
        let Some(name) = change.name() else { return };
        {
            let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
            match &change.new {
                Some(object) => read.insert(name, cluster_config::read(object)),
                None => read.remove(&name),
            };
        }
        self.changed.tell(&());
    }

    /// What they demand.
    pub fn demanded(&self) -> Demanded {
        let unreadable: Vec<(&str, String)> = self
            .places
            .iter()
            .filter_map(|(namespace, place)| match place.state() {
                Readable::Refused(why) => Some((*namespace, why)),
                _ => None,
            })
            .collect();
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        Demanded::of(&*read, &unreadable)
    }
}
