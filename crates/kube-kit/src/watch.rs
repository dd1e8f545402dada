//! The watch that keeps a cache.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use reeve_types::ErrorChain;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::cache::{Cache, ObjectName};
use crate::error::ClientError;

/// How long until everything is listed anew, where a watch cannot go on.
const RELIST: Duration = Duration::from_secs(1);

/// Turns at reading lists: of all watches that were given the same, one reads its list at a time, so that no more than one page of
/// large objects is in memory. Clones are the same.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// What is asked of the API server for a cache, and what of each object is kept.
#[derive(Debug, Clone)]
pub struct Watch<K> {
    config: watcher::Config,
    trim: fn(&mut K),
    confidential: bool,
    turns: Option<Turns>,
}

impl<K: Resource> Default for Watch<K> {
    /// Every object of the kind, without its field managers.
    fn default() -> Self {
        Self {
            config: watcher::Config::default(),
            confidential: false,
            turns: None,
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

    /// Reads its list only while no other watch with these turns does. A list that failed gives its turn to another.
    #[must_use]
    pub fn in_turn(mut self, turns: &Turns) -> Self {
        self.turns = Some(turns.clone());
        self
    }

    /// Takes out of each object what nobody here reads; in place of the default, which takes out the field managers.
    #[must_use]
    pub fn trim(mut self, trim: fn(&mut K)) -> Self {
        self.trim = trim;
        self
    }

    /// What cannot be read of an answer is not repeated in the log: for kinds whose objects hold secrets.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }
}

/// Keeps the cache until dropped.
pub async fn keep<K>(cache: Arc<Cache<K>>, api: Api<K>, watch_for: Watch<K>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    keep_telling(cache, api, watch_for, |_| {}).await;
}

/// Keeps the cache until dropped, and tells `hear` of each list that is complete and of each refusal (403).
pub(crate) async fn keep_telling<K>(
    cache: Arc<Cache<K>>,
    api: Api<K>,
    watch_for: Watch<K>,
    hear: impl Fn(Result<(), String>),
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    loop {
        follow(&cache, &api, &watch_for, &hear).await;
        // Asked again at once, an API server that forgets as soon as it has told would be asked without end.
        tokio::time::sleep(RELIST).await;
    }
}

/// Keeps the cache until what the watch goes on from is forgotten by the API server: then everything has to be listed anew, which
/// `watcher` does by itself when an event says so, and not when the request for the watch is refused.
async fn follow<K>(cache: &Cache<K>, api: &Api<K>, watch_for: &Watch<K>, hear: &impl Fn(Result<(), String>))
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let Watch {
        config,
        trim,
        confidential,
        turns,
    } = watch_for;
    let mut listed = BTreeMap::new();
    let mut turn = None;
    let mut events = pin!(watcher(api.clone(), config.clone()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            // Nothing of the list was asked for yet.
            Ok(Event::Init) => {
                listed.clear();
                drop(turn.take());
                if let Some(turns) = turns {
                    // Nobody closes it.
                    turn = turns.0.acquire().await.ok();
                }
            }
            Ok(Event::InitApply(mut object)) => {
                trim(&mut object);
                listed.insert(ObjectName::of(&object), Arc::new(object));
            }
            Ok(Event::InitDone) => {
                drop(turn.take());
                let changes = cache.replace(std::mem::take(&mut listed));
                changes.iter().for_each(|change| cache.tell(change));
                cache.set_synced();
                hear(Ok(()));
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
                drop(turn.take());
                let is_forgotten = is_forgotten(&error);
                interrupted::<K>(error, *confidential, hear);
                if is_forgotten {
                    return;
                }
            }
        }
    }
}

/// Says why a watch is interrupted.
fn interrupted<K>(error: watcher::Error, confidential: bool, hear: &impl Fn(Result<(), String>))
where
    K: Resource<DynamicType = ()>,
{
    let kind = K::kind(&());
    if confidential && !is_refusal(&error) {
        tracing::warn!(%kind, "watch interrupted; why is not repeated, since it could quote an object");
        return;
    }
    let refusal = refusal(&error);
    let error = told(error);
    if let Some(refusal) = refusal {
        hear(Err(refusal));
    }
    tracing::warn!(%kind, error = %ErrorChain(&*error), "watch interrupted");
}

/// Whether the request for a watch was refused because the API server has forgotten what it is to go on from (410).
fn is_forgotten(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

/// Whether the API server answered with a status, which names the request and no object's content.
fn is_refusal(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => !matches!(cause, kube::Error::SerdeError(_)),
        watcher::Error::WatchError(_) => true,
        _ => false,
    }
}

/// The API server's words, when it refused for want of rights.
fn refusal(error: &watcher::Error) -> Option<String> {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status,
        _ => return None,
    };
    (status.code == 403).then(|| status.message.clone())
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
