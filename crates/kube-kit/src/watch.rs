//! The watch that keeps a cache.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use reeve_types::ErrorChain;
use serde::de::DeserializeOwned;

use crate::cache::{Cache, ObjectName};
use crate::error::ClientError;

/// What is asked of the API server for a cache, and what of each object is kept.
#[derive(Debug)]
pub struct Watch<K> {
    config: watcher::Config,
    trim: fn(&mut K),
}

impl<K: Resource> Default for Watch<K> {
    /// Every object of the kind, without its field managers.
    fn default() -> Self {
        Self {
            config: watcher::Config::default(),
            trim: |object| object.meta_mut().managed_fields = None,
        }
    }
}

impl<K> Watch<K> {
    /// Only objects that bear this label.
    #[must_use]
    pub fn labels(mut self, selector: &str) -> Self {
        self.config = self.config.labels(selector);
        self
    }

    /// Only objects that this field selector selects.
    #[must_use]
    pub fn fields(mut self, selector: &str) -> Self {
        self.config = self.config.fields(selector);
        self
    }

    /// Lists by so many objects at once: for kinds whose objects may be large.
    #[must_use]
    pub fn page_size(mut self, objects: u32) -> Self {
        self.config = self.config.page_size(objects);
        self
    }

    /// Takes out of each object what nobody here reads; in place of the default, which takes out the field managers.
    #[must_use]
    pub fn trim(mut self, trim: fn(&mut K)) -> Self {
        self.trim = trim;
        self
    }
}

/// Keeps the cache until dropped.
pub async fn keep<K>(cache: Arc<Cache<K>>, api: Api<K>, watch_for: Watch<K>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let Watch { config, trim } = watch_for;
    let mut listed = BTreeMap::new();
    let mut events = pin!(watcher(api, config).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(mut object)) => {
                trim(&mut object);
                listed.insert(ObjectName::of(&object), Arc::new(object));
            }
            Ok(Event::InitDone) => {
                let changes = cache.replace(std::mem::take(&mut listed));
                changes.iter().for_each(|change| cache.tell(change));
                cache.set_synced();
            }
            Ok(Event::Apply(mut object)) => {
                trim(&mut object);
                let change = cache.swap(ObjectName::of(&object), Some(Arc::new(object)));
                cache.tell(&change);
            }
            Ok(Event::Delete(object)) => {
                let change = cache.swap(ObjectName::of(&object), None);
                cache.tell(&change);
            }
            Err(error) => {
                let error = told(error);
                tracing::warn!(kind = %K::kind(&()), error = %ErrorChain(&*error), "watch interrupted");
            }
        }
    }
}

/// The watcher's errors print their cause in full, twice; the cause alone says it.
fn told(error: watcher::Error) -> Box<dyn std::error::Error> {
    match error {
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => Box::new(ClientError::from(cause)),
        watcher::Error::WatchError(status) => Box::new(ClientError::from(kube::Error::Api(status))),
        other => Box::new(other),
    }
}
