//! Keeping the directory and clusters' streams in step with the store: by its change log alone, whoever wrote to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use reeve_store::{LoggedChanges, StoreError};
use tokio::sync::Mutex;

use crate::app::App;
use crate::directory::{Applied, Directory};
use crate::error::{ApiError, log_chain};

/// How many entries of the log are read at a time.
const TOGETHER: u32 = 64;

/// The directory, and how far it is to be trusted.
#[derive(Debug, Default)]
pub(crate) struct Following {
    directory: RwLock<Directory>,
    /// Whoever applies changes holds it, so that streams hear of them in their order, too.
    order: Mutex<()>,
    /// How often it became unknown whether something was committed.
    doubts: AtomicU64,
    /// How many of these are settled: the log was read since. Nothing is decided while one is not.
    settled: AtomicU64,
    /// How often the log could not be read.
    failures: AtomicU64,
}

impl Following {
    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the directory may be behind what was committed, until it has followed the log again.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the log could not be read so far: see [`App::up_to_date_since`].
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::SeqCst)
    }

    fn in_doubt(&self) -> bool {
        self.settled.load(Ordering::SeqCst) < self.doubts.load(Ordering::SeqCst)
    }
}

/// Follows what other processes write, until the process ends.
pub async fn run(app: Arc<App>) {
    let mut failed = false;
    loop {
        app.store.woken().await;
        let followed = app.catch_up().await;
        // Once: it is tried twice a second.
        if let Err(error) = &followed
            && !failed
        {
            log_chain(error);
        }
        // What is there and cannot be read, an entry of a newer version for example: nothing is decided without it.
        if matches!(&followed, Err(error) if !matches!(error, StoreError::Unavailable { .. })) {
            app.following.doubt();
        }
        if followed.is_ok() && failed {
            tracing::info!("the database is there again");
        }
        failed = followed.is_err();
    }
}

impl App {
    /// Applies what was just committed. Where something before it is not known yet, as when another commit was faster, the
    /// log is read; should that fail, nobody is answered from the directory until it succeeds.
    pub(crate) async fn follow(&self, log: &[LoggedChanges]) {
        if log.is_empty() {
            return;
        }
        let order = self.following.order.lock().await;
        if self.apply(log) && self.follow_keys().await.is_ok() {
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

    /// Whoever calls holds the order.
    async fn read_log(&self) -> Result<(), StoreError> {
        let doubts = self.following.doubts.load(Ordering::SeqCst);
        let read = self.read_to_its_end().await;
        match &read {
            Ok(()) => self.following.settled.fetch_max(doubts, Ordering::SeqCst),
            Err(_) => self.following.failures.fetch_add(1, Ordering::SeqCst),
        };
        read
    }

    async fn read_to_its_end(&self) -> Result<(), StoreError> {
        loop {
            let number = self.directory().number();
            match self.store.changes_since(number, TOGETHER).await? {
                Some(log) if log.is_empty() => return self.follow_keys().await,
                Some(log) if self.apply(&log) => {}
                _ => return self.load().await,
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
    async fn load(&self) -> Result<(), StoreError> {
        let snapshot = self.store.directory().await?;
        let heard = snapshot.heard.clone();
        let directory = Directory::load(snapshot);
        let clusters: Vec<_> = directory.clusters().cloned().collect();
        *self.following.directory_mut() = directory;
        self.hub.follow_all(&clusters, &heard);
        self.follow_keys().await
    }

    /// Applies entries, all of them in one step; false when one of them does not follow on what is known. Whoever calls holds
    /// the order.
    fn apply(&self, log: &[LoggedChanges]) -> bool {
        let (mut fresh, mut follows) = (Vec::new(), true);
        {
            let mut directory = self.following.directory_mut();
            for entry in log {
                match directory.apply(entry) {
                    Applied::Done => fresh.push(entry),
                    Applied::Before => {}
                    Applied::ReadAnew => {
                        follows = false;
                        break;
                    }
                }
            }
        }
        for change in fresh.into_iter().flat_map(|entry| &entry.changes) {
            self.hub.follow(change);
        }
        follows
    }
}
