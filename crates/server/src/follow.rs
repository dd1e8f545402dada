//! Keeping the directory and clusters' streams in step with the store: by its change log alone, whoever wrote to it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use reeve_store::{Evidence, LogAfter, LoggedChanges, StoreError};
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use crate::app::App;
use crate::directory::{Applied, Directory};
use crate::error::{ApiError, log_chain};

/// How many entries of the log are read at a time.
const TOGETHER: u32 = 64;
/// How long the log may be out of reach until nothing is decided without asking for it.
const OUT_OF_REACH: Duration = Duration::from_secs(5);
/// How long is waited after following ended in a panic.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Follows what other processes write, until the process ends. A panic ends nothing: the directory counts as unknown until the
/// log was followed again.
pub async fn run(app: Arc<App>) {
    let mut failing: Option<Instant> = None;
    loop {
        app.store.woken().await;
        match caught(app.catch_up()).await {
            Ok(()) => {
                if failing.take().is_some() {
                    tracing::info!("the database is there again");
                }
            }
            Err(error) => {
                // Once: it is tried twice a second.
                if failing.is_none() {
                    log_chain(&error);
                }
                let since = *failing.get_or_insert_with(Instant::now);
                // What is there and cannot be read, an entry of a newer version for example, and what is away for so long that
                // much may have changed: nothing is decided without it.
                let away = matches!(error, StoreError::Unavailable { .. });
                if !away || since.elapsed() > OUT_OF_REACH {
                    app.following.doubt();
                }
                if matches!(error, StoreError::Corrupt { what: PANIC, .. }) {
                    tokio::time::sleep(AFTER_PANIC).await;
                }
            }
        }
    }
}

/// What cannot be read where following ended in a panic.
const PANIC: &str = "change";

async fn caught(work: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_| {
        Err(StoreError::Corrupt {
            what: PANIC,
            reason: "following the change log ended in a panic".to_owned(),
        })
    })
}

/// What an application of entries came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Each followed on what was known.
    All,
    /// Some have numbers that were known: read by somebody who was faster, or entries of another log.
    Known,
    /// Some are missing.
    Gap,
}

impl App {
    /// Applies what was just committed. Where something before it is not known yet, as when another commit was faster, the
    /// log is read; should that fail, nobody is answered from the directory until it succeeds.
    pub(crate) async fn follow(&self, log: &[LoggedChanges]) {
        if log.is_empty() {
            return;
        }
        let order = self.following.order.lock().await;
        if self.apply(log) == Follows::All && self.follow_keys().await.is_ok() {
            return;
        }
        self.following.doubt();
        drop(order);
        // Whoever asks next tries again.
        let _ = self.up_to_date().await;
    }

    /// Makes sure that the directory is not behind what this process committed. Costs nothing as long as nothing went wrong.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] while it is behind and the store does not answer.
    pub async fn up_to_date(&self) -> Result<(), ApiError> {
        self.up_to_date_since(self.following.failures()).await
    }

    /// As [`App::up_to_date`], for somebody who has waited since there were so many failures: when there are more now, it is not
    /// tried again. Of many who wait for a database that is away one finds out, and all are answered.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] while it is behind and the store does not answer.
    pub(crate) async fn up_to_date_since(&self, failures: u64) -> Result<(), ApiError> {
        const AWAY: ApiError = ApiError::Unavailable("the database does not answer: try again in a moment");
        if !self.following.in_doubt() {
            return Ok(());
        }
        // Before waiting for whoever asks the same again, and after that.
        if self.following.failures() > failures {
            return Err(AWAY);
        }
        let _order = self.following.order.lock().await;
        if !self.following.in_doubt() {
            return Ok(());
        }
        if self.following.failures() > failures {
            return Err(AWAY);
        }
        self.read_log().await.map_err(|error| {
            log_chain(&error);
            AWAY
        })
    }

    /// Follows the change log to its end, whoever wrote it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the store does not answer. What was read before that is applied.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _order = self.following.order.lock().await;
        self.read_log().await
    }

    /// Whoever applies changes holds it.
    pub(crate) async fn order(&self) -> MutexGuard<'_, ()> {
        self.following.order.lock().await
    }

    /// Whoever calls holds the order.
    async fn read_log(&self) -> Result<(), StoreError> {
        let doubts = self.following.doubts.load(Ordering::SeqCst);
        let read = self.read_to_its_end().await;
        match &read {
            Ok(own) => self.following.settled.fetch_max(doubts + own, Ordering::SeqCst),
            Err(_) => self.following.failures.fetch_add(1, Ordering::SeqCst),
        };
        read.map(drop)
    }

    /// How many doubts it raised itself, and settled: while the directory is read anew nothing is decided from the one that is
    /// known to be behind.
    async fn read_to_its_end(&self) -> Result<u64, StoreError> {
        if self.following.replaced.load(Ordering::SeqCst) {
            return self.load().await.map(|()| 0);
        }
        loop {
            let mark = self.directory().mark().clone();
            match self.store.changes_since(&mark, TOGETHER).await? {
                LogAfter::Entries(log) if log.is_empty() => return self.follow_keys().await.map(|()| 0),
                LogAfter::Entries(log) if self.apply(&log) == Follows::All => {}
                LogAfter::Entries(_) | LogAfter::Forgotten => {
                    self.following.doubt();
                    return self.load().await.map(|()| 1);
                }
                LogAfter::Unknown => {
                    self.following.doubt();
                    let era = self.directory().era();
                    // That it is replaced is one doubt more.
                    return self.end_lost(&Evidence::Mark { mark, era }).await.map(|()| 2);
                }
            }
        }
    }

    /// Reads the whole directory.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the store does not answer.
    pub(crate) async fn read_anew(&self) -> Result<(), StoreError> {
        let _order = self.following.order.lock().await;
        self.load().await
    }

    /// Whoever calls holds the order.
    pub(crate) async fn load(&self) -> Result<(), StoreError> {
        let replaced = self.following.replaced.load(Ordering::SeqCst);
        let snapshot = self.store.directory().await?;
        if !replaced && snapshot.reached.number < self.directory().mark().number {
            return Err(StoreError::Unavailable {
                operation: "read the directory",
                source: "the database is behind what was read from it before: it is an older copy".into(),
            });
        }
        let heard = snapshot.heard.clone();
        let directory = Directory::load(snapshot);
        let clusters: Vec<_> = directory.clusters().cloned().collect();
        *self.following.directory_mut() = directory;
        self.cluster_streams.follow_all(&clusters, &heard);
        self.following.replaced.store(false, Ordering::SeqCst);
        self.follow_keys().await
    }

    /// Applies entries, all of them in one step. Whoever calls holds the order.
    fn apply(&self, log: &[LoggedChanges]) -> Follows {
        let (mut fresh, mut follows) = (Vec::new(), Follows::All);
        {
            let mut directory = self.following.directory_mut();
            for entry in log {
                match directory.apply(entry) {
                    Applied::Done => fresh.push(entry),
                    Applied::Before => follows = Follows::Known,
                    Applied::ReadAnew => {
                        follows = Follows::Gap;
                        break;
                    }
                }
            }
        }
        for change in fresh.into_iter().flat_map(|entry| &entry.changes) {
            self.cluster_streams.follow(change);
        }
        follows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn following_outlives_a_panic() {
        async fn panics() -> Result<(), StoreError> {
            panic!("in the middle of an entry")
        }
        let caught = caught(panics()).await;
        assert!(
            matches!(caught, Err(StoreError::Corrupt { what: PANIC, .. })),
            "{caught:?}"
        );
    }
}
