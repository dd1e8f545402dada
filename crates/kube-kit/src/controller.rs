//! One controller as a value.

use std::fmt::{self, Debug, Formatter};
use std::hash::Hash;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::cache::{Cache, Change};
use crate::error::ReconcileError;
use crate::observe::Passes;
use crate::queue::{Keys, Queue, work};
use crate::subscribers::Subscribers;

type Start = Box<dyn FnOnce(Passes, CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// A controller: a queue of keys, what puts keys into it, and the pass over one of them, which writes what differs and the
/// status. It does nothing until [`Registry::run`](crate::Registry::run).
///
/// Not `kube::runtime::Controller`: its keys are objects of one kind, ours are also namespaces and the cluster; and it does
/// not say what a change replaced.
pub struct Controller<K> {
    name: &'static str,
    queue: Queue<K>,
    start: Start,
}

impl<K> Controller<K>
where
    K: Clone + Eq + Hash + Debug + Send + Sync + 'static,
{
    /// A controller with no sources yet. `name` is its name in logs and metrics; at most `parallel` passes are under way at
    /// once, never two over one key.
    pub fn new<E, F>(
        name: &'static str,
        (queue, keys): (Queue<K>, Keys<K>),
        parallel: usize,
        reconcile: impl Fn(K) -> F + Send + Sync + 'static,
    ) -> Self
    where
        E: ReconcileError + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let start = move |passes, stop| work(name, keys, parallel, passes, stop, reconcile).boxed();
        Self {
            name,
            queue,
            start: Box::new(start),
        }
    }

    /// Is woken by changes of a cache: `wake` puts the keys that a change concerns into the queue.
    #[must_use]
    pub fn watches<T: 'static>(
        self,
        cache: &Cache<T>,
        wake: impl Fn(&Queue<K>, &Change<T>) + Send + Sync + 'static,
    ) -> Self {
        let queue = self.queue.clone();
        cache.subscribe(move |change| wake(&queue, change));
        self
    }

    /// Is woken by other news.
    #[must_use]
    pub fn hears<T: 'static>(
        self,
        news: &Subscribers<T>,
        wake: impl Fn(&Queue<K>, &T) + Send + Sync + 'static,
    ) -> Self {
        let queue = self.queue.clone();
        news.subscribe(move |news| wake(&queue, news));
        self
    }

    /// Has a pass over this key as soon as the caches are complete, whether something changes or not.
    #[must_use]
    pub fn starts_with(self, key: K) -> Self {
        self.queue.add(key);
        self
    }

    pub(crate) fn into_parts(self) -> (&'static str, Start) {
        (self.name, self.start)
    }
}

impl<K> Debug for Controller<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
