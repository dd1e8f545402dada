//! The caches and controllers of one operator, and their common life.

use std::fmt::{self, Debug, Formatter};
use std::hash::Hash;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kube::{Api, Resource};
use prometheus_client::registry::Registry as Metrics;
use serde::de::DeserializeOwned;
use tokio::sync::watch as signal;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::cache::Cache;
use crate::context::Context;
use crate::controller::Controller;
use crate::observe::Passes;
use crate::optional::{Optional, keep_while};
use crate::watch::{Watch, keep};

/// The part of readiness that waits for the first lists.
const CACHES: &str = "caches";

/// A part of the operator ended although nobody told it to. Half an operator is worse than a restart.
#[derive(Debug, thiserror::Error)]
pub enum EndedByItself {
    /// A controller, a watch or another task.
    #[error("`{0}` ended by itself")]
    Part(String),
    /// One of them panicked, outside of a pass.
    #[error("a controller or a watch panicked")]
    Panicked(#[source] JoinError),
}

type Start = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// Runs watches and controllers: first every watch, then, when every cache is complete, every controller, until told to stop.
///
/// **Promise.** No pass begins before every cache is complete, so that nothing that is there is taken for missing. Readiness
/// lists `caches` until then. A part that ends by itself ends all of it. Told to stop, it finishes the passes under way.
pub struct Registry {
    context: Arc<Context>,
    passes: Passes,
    watches: Vec<(String, BoxFuture<'static, ()>)>,
    synced: Vec<BoxFuture<'static, ()>>,
    parts: Vec<(&'static str, Start)>,
}

impl Registry {
    /// Without watches and controllers; registers the metrics of passes.
    pub fn new(context: Arc<Context>, metrics: &mut Metrics) -> Self {
        context
            .readiness
            .missing(CACHES, "the first lists are not complete yet");
        Self {
            context,
            passes: Passes::register(metrics),
            watches: Vec::new(),
            synced: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// A cache of a kind, of every namespace, which is watched from [`Registry::run`] on. Called twice for a kind it watches
    /// twice: kinds that several controllers read are cached once and shared.
    pub fn cache<K>(&mut self, watch: Watch<K>) -> Arc<Cache<K>>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let cache = Arc::<Cache<K>>::default();
        let api = Api::<K>::all(self.context.client.clone());
        let name = format!("watch of {}", K::plural(&()));
        self.watches.push((name, keep(cache.clone(), api, watch).boxed()));
        let complete = cache.clone();
        self.synced.push(async move { complete.synced().await }.boxed());
        cache
    }

    /// A cache of what `api` reads, which is watched while `wanted` says so. That the API server refuses it holds up nothing
    /// else.
    pub fn optional<K>(
        &mut self,
        api: Api<K>,
        watch: Watch<K>,
        wanted: signal::Receiver<bool>,
    ) -> Arc<Optional<K>>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let optional = Arc::<Optional<K>>::default();
        let name = format!("watch of {}", K::plural(&()));
        self.watches
            .push((name, keep_while(optional.clone(), api, watch, wanted).boxed()));
        let complete = optional.clone();
        self.synced
            .push(async move { complete.cache.synced().await }.boxed());
        optional
    }

    /// The client that caches are read with.
    pub fn client(&self) -> kube::Client {
        self.context.client.clone()
    }

    /// Adds a controller.
    pub fn add<K>(&mut self, controller: Controller<K>)
    where
        K: Clone + Eq + Hash + Debug + Send + Sync + 'static,
    {
        let (name, start) = controller.into_parts();
        let passes = self.passes.clone();
        self.parts.push((name, Box::new(move |stop| start(passes, stop))));
    }

    /// Adds a task that works beside the controllers and is dropped when told to stop.
    pub fn add_task(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let until_stopped = move |stop: CancellationToken| {
            async move {
                tokio::select! {
                    () = task => {}
                    () = stop.cancelled() => {}
                }
            }
            .boxed()
        };
        self.parts.push((name, Box::new(until_stopped)));
    }

    /// Runs until `stop`, and then until the passes under way are done.
    ///
    /// # Errors
    /// [`EndedByItself`].
    pub async fn run(self, stop: CancellationToken) -> Result<(), EndedByItself> {
        let mut watches = JoinSet::new();
        for (name, watch) in self.watches {
            watches.spawn(async move {
                watch.await;
                name
            });
        }
        tokio::select! {
            _ = join_all(self.synced) => {}
            Some(ended) = watches.join_next() => return Err(by_itself(ended)),
            () = stop.cancelled() => return Ok(()),
        }
        self.context.readiness.ready(CACHES);
        tracing::info!(caches = watches.len(), "caches complete");
        let mut parts = JoinSet::new();
        for (name, start) in self.parts {
            let part = start(stop.clone());
            parts.spawn(async move {
                part.await;
                name.to_owned()
            });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = watches.join_next() => return Err(by_itself(ended)),
            Some(ended) = parts.join_next() => if !stop.is_cancelled() {
                return Err(by_itself(ended));
            },
        }
        while parts.join_next().await.is_some() {}
        Ok(())
    }
}

fn by_itself(ended: Result<String, JoinError>) -> EndedByItself {
    match ended {
        Ok(part) => EndedByItself::Part(part),
        Err(panic) => EndedByItself::Panicked(panic),
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("watches", &self.watches.len())
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}
