//! A copy of every object of a kind, kept by a [`watch`](crate::watch).
//!
//! **Promise.** Each subscriber hears of every difference between what the cache held and what it holds, each once, with the
//! object before and after, after the cache has it; also of those that a broken watch missed, because a new list is compared
//! with the old one. [`Cache::synced`] becomes true when the first list is complete and stays so.
//!
//! Not `kube::runtime::reflector`: that one keeps objects only, and does not say what a change replaced, without which one
//! cannot tell which other objects a change concerns.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use kube::{Resource, ResourceExt};
use tokio::sync::watch as signal;
use tokio::time::Instant;

use crate::subscribers::Subscribers;

/// How long a write of ours is believed in before the watch shows it.
const RECENT: Duration = Duration::from_secs(30);

/// Which object: namespace (empty for cluster-scoped kinds) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectName {
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

impl Display for ObjectName {
    /// `namespace/name`, or the name alone.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

/// One difference; at least one side is there.
#[derive(Debug, Clone)]
pub struct Change<K> {
    /// What the cache held before.
    pub old: Option<Arc<K>>,
    /// What it holds now.
    pub new: Option<Arc<K>>,
}

impl<K> Change<K> {
    /// The object as it is now, or as it was last.
    pub fn latest(&self) -> Option<&Arc<K>> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// The object that is gone.
    pub fn deleted(&self) -> Option<&Arc<K>> {
        self.old.as_ref().filter(|_| self.new.is_none())
    }

    /// Whether something holds of the object before or after.
    pub fn either(&self, holds: impl Fn(&K) -> bool) -> bool {
        self.old.iter().chain(&self.new).any(|object| holds(object))
    }
}

impl<K: ResourceExt> Change<K> {
    /// Which object.
    pub fn name(&self) -> Option<ObjectName> {
        self.latest().map(|object| ObjectName::of(&**object))
    }
}

/// A write of ours that the watch has not shown yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrote {
    Created,
    Deleted,
}

/// The copy.
#[derive(Debug)]
pub struct Cache<K> {
    objects: RwLock<BTreeMap<ObjectName, Arc<K>>>,
    recent: Mutex<HashMap<ObjectName, (Instant, Wrote)>>,
    synced: signal::Sender<bool>,
    subscribers: Subscribers<Change<K>>,
}

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            objects: RwLock::default(),
            recent: Mutex::default(),
            synced: signal::Sender::new(false),
            subscribers: Subscribers::default(),
        }
    }
}

impl<K> Cache<K> {
    /// The object of this name.
    pub fn get(&self, name: &ObjectName) -> Option<Arc<K>> {
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
            .range(ObjectName::namespaced(namespace, "")..)
            .take_while(|(n, _)| n.namespace == namespace)
            .map(|(_, o)| o.clone())
            .collect()
    }

    /// Tells `hear` of each change from now on.
    pub fn subscribe(&self, hear: impl Fn(&Change<K>) + Send + Sync + 'static) {
        self.subscribers.subscribe(hear);
    }

    /// Remembers that we have just created this, until the watch shows it; not where it has shown it already.
    pub fn just_created(&self, name: ObjectName) {
        if self.get(&name).is_none() {
            self.just(name, Wrote::Created);
        }
    }

    /// Remembers that we have just deleted this, until the watch shows it; not where it has shown it already. What we made so
    /// shortly before that the watch has not shown even that is still to be shown twice.
    pub fn just_deleted(&self, name: ObjectName) {
        if self.get(&name).is_some() || self.was_just_created(&name) {
            self.just(name, Wrote::Deleted);
        }
    }

    /// Whether we created this so shortly ago that the watch need not have shown it yet.
    pub fn was_just_created(&self, name: &ObjectName) -> bool {
        self.was_just(name, Wrote::Created)
    }

    /// Whether we deleted this so shortly ago that the watch need not have shown it yet.
    pub fn was_just_deleted(&self, name: &ObjectName) -> bool {
        self.was_just(name, Wrote::Deleted)
    }

    fn just(&self, name: ObjectName, wrote: Wrote) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|_, (since, _)| since.elapsed() < RECENT);
        recent.insert(name, (Instant::now(), wrote));
    }

    fn was_just(&self, name: &ObjectName, wrote: Wrote) -> bool {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .get(name)
            .is_some_and(|(since, what)| since.elapsed() < RECENT && *what == wrote)
    }

    /// The watch shows that it is there, or that it is not.
    fn seen(&self, name: &ObjectName, there: bool) {
        let shown = if there { Wrote::Created } else { Wrote::Deleted };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.get(name).is_some_and(|(_, wrote)| *wrote == shown) {
            recent.remove(name);
        }
    }

    /// Returns when the first list is complete.
    pub async fn synced(&self) {
        // The sender lives as long as self: waiting cannot fail.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Whether a list is complete.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Forgets everything, and that a list was ever complete, and tells nobody: what is not watched any more says nothing of what
    /// is there.
    pub fn forget(&self) {
        self.objects
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.synced.send_replace(false);
    }

    /// The first list is complete.
    pub(crate) fn set_synced(&self) {
        self.synced.send_replace(true);
    }

    pub(crate) fn swap(&self, name: ObjectName, new: Option<Arc<K>>) -> Change<K> {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let old = match &new {
            Some(object) => objects.insert(name, object.clone()),
            None => objects.remove(&name),
        };
        Change { old, new }
    }
}

impl<K: Resource> Cache<K> {
    pub(crate) fn tell(&self, change: &Change<K>) {
        if let Some(name) = change.name() {
            self.seen(&name, change.new.is_some());
        }
        self.subscribers.tell(change);
    }

    pub(crate) fn replace(&self, listed: BTreeMap<ObjectName, Arc<K>>) -> Vec<Change<K>> {
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
