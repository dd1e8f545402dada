//! A copy of every object of a kind, kept by a watch.
//!
//! **Promise.** The observer hears of every difference between what the mirror held and what it holds, each once, with
//! the object before and after, after the mirror has it; also of those that a broken watch missed, because a new list is
//! compared with the old one. [`Mirror::synced`] becomes true when the first list is complete and stays so.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};

use futures::StreamExt;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch as signal;

/// Which object: namespace (empty for cluster-scoped kinds) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Name {
    /// A namespaced name.
    pub fn namespaced(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The name of a cluster-scoped object.
    pub fn cluster(name: impl Into<String>) -> Self {
        Self {
            namespace: String::new(),
            name: name.into(),
        }
    }

    /// The name of an object.
    pub fn of<K: ResourceExt>(object: &K) -> Self {
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
        }
    }
}

/// One difference; at least one side is there.
#[derive(Debug, Clone)]
pub struct Change<K> {
    /// What the mirror held before.
    pub old: Option<Arc<K>>,
    /// What it holds now.
    pub new: Option<Arc<K>>,
}

/// The copy.
#[derive(Debug)]
pub struct Mirror<K> {
    objects: RwLock<BTreeMap<Name, Arc<K>>>,
    synced: signal::Sender<bool>,
}

impl<K> Default for Mirror<K> {
    fn default() -> Self {
        Self {
            objects: RwLock::default(),
            synced: signal::Sender::new(false),
        }
    }
}

impl<K> Mirror<K> {
    /// The object of this name.
    pub fn get(&self, name: &Name) -> Option<Arc<K>> {
        self.objects
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Every object, by name.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.objects
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Every object of a namespace, by name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects
            .range(Name::namespaced(namespace, "")..)
            .take_while(|(n, _)| n.namespace == namespace)
            .map(|(_, o)| o.clone())
            .collect()
    }

    /// Whether the first list is complete.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Returns when the first list is complete.
    pub async fn synced(&self) {
        // The sender lives as long as self: waiting cannot fail.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    fn swap(&self, name: Name, new: Option<Arc<K>>) -> Change<K> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let old = match &new {
            Some(object) => objects.insert(name, object.clone()),
            None => objects.remove(&name),
        };
        Change { old, new }
    }
}

impl<K: Resource + Clone> Mirror<K>
where
    K::DynamicType: Default,
{
    fn replace(&self, listed: BTreeMap<Name, Arc<K>>) -> Vec<Change<K>> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *objects, listed.clone());
        let gone = before
            .iter()
            .filter(|(name, _)| !listed.contains_key(*name))
            .map(|(_, old)| Change {
                old: Some(old.clone()),
                new: None,
            });
        let there = listed.iter().filter_map(|(name, new)| {
            let old = before.get(name).cloned();
            let same = old
                .as_ref()
                .is_some_and(|o| o.meta().resource_version == new.meta().resource_version);
            (!same).then(|| Change {
                old,
                new: Some(new.clone()),
            })
        });
        gone.chain(there).collect()
    }
}

/// Keeps the mirror until dropped. `slim` takes out of each object what nobody here reads; `observe` hears each change.
pub async fn keep<K>(
    mirror: Arc<Mirror<K>>,
    api: Api<K>,
    config: watcher::Config,
    slim: impl Fn(&mut K) + Send,
    observe: impl Fn(Change<K>) + Send,
) where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default,
{
    let mut listed = BTreeMap::new();
    let mut events = pin!(watch(api, config).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(mut object)) => {
                slim(&mut object);
                listed.insert(Name::of(&object), Arc::new(object));
            }
            Ok(Event::InitDone) => {
                mirror
                    .replace(std::mem::take(&mut listed))
                    .into_iter()
                    .for_each(&observe);
                mirror.synced.send_replace(true);
            }
            Ok(Event::Apply(mut object)) => {
                slim(&mut object);
                observe(mirror.swap(Name::of(&object), Some(Arc::new(object))));
            }
            Ok(Event::Delete(object)) => observe(mirror.swap(Name::of(&object), None)),
            Err(error) => {
                tracing::warn!(kind = %K::kind(&K::DynamicType::default()), error = %crate::error::chain(&error), "watch interrupted");
            }
        }
    }
}
