//! A cache of what an operator is not always to read, or may not be allowed to read.
//!
//! **Promise.** Nothing is asked of the API server while it is not wanted. A refusal (403) does not hold up the other caches: it
//! is an answer, which [`Optional::state`] says, until the watch is let in. Each change of the state is told.

use std::fmt::Debug;
use std::sync::{Arc, PoisonError, RwLock};

use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::watch as signal;

use crate::cache::Cache;
use crate::subscribers::Subscribers;
use crate::watch::{Watch, keep_telling};

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readable {
    /// It is not wanted: the cache is empty.
    Unwanted,
    /// It is wanted and the first list is not complete yet.
    Waiting,
    /// The cache is complete.
    Complete,
    /// The API server refuses to list or watch it, with these words. The cache holds what was there before, if anything.
    Refused(String),
}

/// The cache and what is known of it.
#[derive(Debug)]
pub struct Optional<K> {
    /// What was read.
    pub cache: Arc<Cache<K>>,
    state: RwLock<Readable>,
    /// The state is another now.
    pub changed: Subscribers<()>,
}

impl<K> Default for Optional<K> {
    fn default() -> Self {
        Self {
            cache: Arc::default(),
            state: RwLock::new(Readable::Waiting),
            changed: Subscribers::default(),
        }
    }
}

impl<K> Optional<K> {
    /// What is known.
    pub fn state(&self) -> Readable {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, state: Readable) {
        let before = {
            let mut held = self.state.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, state.clone())
        };
        if before != state {
            self.changed.tell(&());
        }
    }
}

/// Keeps it until dropped, while `wanted` says so.
pub(crate) async fn keep_while<K>(
    optional: Arc<Optional<K>>,
    api: Api<K>,
    watch_for: Watch<K>,
    mut wanted: signal::Receiver<bool>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    loop {
        if *wanted.borrow_and_update() {
            optional.set(Readable::Waiting);
            let hear = |outcome| match outcome {
                Ok(()) => optional.set(Readable::Complete),
                Err(refusal) => {
                    optional.cache.set_synced();
                    optional.set(Readable::Refused(refusal));
                }
            };
            let keeping = keep_telling(optional.cache.clone(), api.clone(), watch_for.clone(), hear);
            tokio::select! {
                () = keeping => return,
                () = changed(&mut wanted) => {}
            }
        } else {
            let gone = optional.cache.replace(std::collections::BTreeMap::new());
            optional.cache.set_synced();
            optional.set(Readable::Unwanted);
            gone.iter().for_each(|change| optional.cache.tell(change));
            changed(&mut wanted).await;
        }
    }
}

/// Returns when it may be another; never when nobody can change it any more.
async fn changed(wanted: &mut signal::Receiver<bool>) {
    if wanted.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
