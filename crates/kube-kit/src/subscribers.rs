//! Who is told of a kind of news.

use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, PoisonError, RwLock};

type Hear<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// Everybody who is told of news of type `T`, in the order in which they subscribed. They are told one after the other by
/// whoever has the news, so they must be quick: put a key into a queue, change an index.
pub struct Subscribers<T>(RwLock<Arc<[Hear<T>]>>);

impl<T> Default for Subscribers<T> {
    fn default() -> Self {
        Self(RwLock::new(Arc::new([])))
    }
}

impl<T> Subscribers<T> {
    /// Tells `hear` of all news from now on, for as long as this lives.
    pub fn subscribe(&self, hear: impl Fn(&T) + Send + Sync + 'static) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let more: Hear<T> = Arc::new(hear);
        *all = all.iter().cloned().chain([more]).collect();
    }

    /// Tells everybody.
    pub fn tell(&self, news: &T) {
        // Not under the lock: whoever hears may tell in turn.
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().for_each(|hear| hear(news));
    }
}

impl<T> Debug for Subscribers<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Subscribers").field("count", &all.len()).finish()
    }
}
