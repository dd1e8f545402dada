//! A queue of keys to reconcile.
//!
//! **Promise.** A key is worked on by at most one pass at a time; a key that is added during its own pass is worked on
//! once more afterwards, however often it was added. A failed pass is tried again as its error says
//! ([`crate::ReconcileError::retry`]); a key added meanwhile does not wait for that.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reeve_types::ErrorChain;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{ReconcileError, Retry};
use crate::observe::Passes;

const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The pauses between passes that fail one after the other: each twice the one before.
fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_delay(LAST_RETRY)
        .with_factor(2.0)
        .without_max_times()
        .build()
}

/// Where keys are added. Cheap to clone.
#[derive(Debug)]
pub struct Queue<K>(mpsc::UnboundedSender<Asked<K>>);

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Where they come out.
#[derive(Debug)]
pub struct Keys<K>(mpsc::UnboundedReceiver<Asked<K>>);

#[derive(Debug)]
enum Asked<K> {
    Now(K),
    After(K, Duration),
}

impl<K> Queue<K> {
    /// A queue and its other end.
    pub fn new() -> (Self, Keys<K>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Keys(receiver))
    }

    /// Asks for a pass over this key.
    pub fn add(&self, key: K) {
        // After shutdown nobody listens, and nobody needs to.
        let _ = self.0.send(Asked::Now(key));
    }

    /// Asks for a pass over this key after a pause, unless one is asked for that comes sooner.
    pub fn add_after(&self, key: K, pause: Duration) {
        let _ = self.0.send(Asked::After(key, pause));
    }
}

struct State<K> {
    ready: VecDeque<K>,
    waiting: HashSet<K>,
    running: HashSet<K>,
    again: HashSet<K>,
    failures: HashMap<K, ExponentialBackoff>,
    later: BTreeMap<(Instant, u64), K>,
    /// Where each key stands in `later`: at most once, or every pass that is asked for again would ask for more of them.
    delayed: HashMap<K, (Instant, u64)>,
    sequence: u64,
}

impl<K: Clone + Eq + Hash> State<K> {
    fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            waiting: HashSet::new(),
            running: HashSet::new(),
            again: HashSet::new(),
            failures: HashMap::new(),
            later: BTreeMap::new(),
            delayed: HashMap::new(),
            sequence: 0,
        }
    }

    fn add(&mut self, key: K) {
        if self.running.contains(&key) {
            self.again.insert(key);
        } else if self.waiting.insert(key.clone()) {
            self.ready.push_back(key);
        }
    }

    fn delay(&mut self, key: K, by: Duration) {
        let at = Instant::now() + by;
        if let Some(known) = self.delayed.get(&key).copied() {
            if known.0 <= at {
                return;
            }
            self.later.remove(&known);
        }
        self.sequence += 1;
        self.later.insert((at, self.sequence), key.clone());
        self.delayed.insert(key, (at, self.sequence));
    }

    fn take(&mut self, asked: Asked<K>) {
        match asked {
            Asked::Now(key) => self.add(key),
            Asked::After(key, pause) => self.delay(key, pause),
        }
    }

    fn next(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.waiting.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    fn due(&mut self, now: Instant) {
        while let Some(entry) = self.later.first_entry().filter(|e| e.key().0 <= now) {
            let key = entry.remove();
            self.delayed.remove(&key);
            self.add(key);
        }
    }

    fn done(&mut self, key: K, retry: Option<Retry>) {
        self.running.remove(&key);
        match retry {
            None | Some(Retry::OnChange) => {
                self.failures.remove(&key);
            }
            Some(Retry::After(pause)) => self.delay(key.clone(), pause),
            Some(Retry::Backoff) => {
                let pauses = self.failures.entry(key.clone()).or_insert_with(pauses);
                let pause = pauses.next().unwrap_or(LAST_RETRY);
                self.delay(key.clone(), pause);
            }
        }
        if self.again.remove(&key) {
            self.add(key);
        }
    }
}

/// One pass, in a task of its own: a panic in it is an outcome like another, not the end of the controller. Answers when the
/// key is to be tried again.
async fn pass<K, E>(
    controller: &'static str,
    key: &K,
    passes: &Passes,
    pass: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Option<Retry>
where
    K: Debug,
    E: ReconcileError + Send + 'static,
{
    let started = Instant::now();
    let outcome = tokio::spawn(pass).await;
    let reason = match &outcome {
        Ok(Ok(())) => "Ok",
        Ok(Err(error)) => error.reason(),
        Err(_) => "Panicked",
    };
    passes.record(controller, reason, started.elapsed());
    match outcome {
        Ok(Ok(())) => {
            tracing::debug!(controller, key = ?key, "pass");
            None
        }
        Ok(Err(error)) => {
            tracing::warn!(controller, key = ?key, reason, error = %ErrorChain(&error), "pass failed");
            Some(error.retry())
        }
        Err(error) => {
            tracing::error!(controller, key = ?key, reason, error = %error, "pass failed");
            Some(Retry::Backoff)
        }
    }
}

/// Works until cancelled, then waits for the passes under way. `controller` names it in logs and metrics.
pub async fn work<K, E, F>(
    controller: &'static str,
    mut keys: Keys<K>,
    parallel: usize,
    passes: Passes,
    cancel: CancellationToken,
    reconcile: impl Fn(K) -> F,
) where
    K: Clone + Eq + Hash + Debug + Send + Sync + 'static,
    E: ReconcileError + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
{
    let mut state = State::<K>::new();
    let mut running = JoinSet::new();
    loop {
        while running.len() < parallel
            && let Some(key) = state.next()
        {
            let work = reconcile(key.clone());
            let passes = passes.clone();
            running.spawn(async move {
                let retry = pass(controller, &key, &passes, work).await;
                (key, retry)
            });
        }
        let wake = state.later.first_key_value().map(|((at, _), _)| *at);
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            Some(done) = running.join_next(), if !running.is_empty() => {
                if let Ok((key, retry)) = done {
                    state.done(key, retry);
                }
            }
            asked = keys.0.recv() => match asked {
                Some(asked) => {
                    state.take(asked);
                    // Everything that is there: a key that was added many times has one pass, not two.
                    while let Ok(asked) = keys.0.try_recv() {
                        state.take(asked);
                    }
                }
                None => break,
            },
            () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => state.due(Instant::now()),
        }
    }
    while running.join_next().await.is_some() {}
}
