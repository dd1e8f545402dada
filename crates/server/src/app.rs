//! What every handler shares, and the one way to change anything.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use futures::FutureExt;
use reeve_store::Store;
use reeve_types::{Clock, ClusterId, HistoryId, ReservedNamespaces, Revision, Timestamp};
use tokio::sync::{Mutex, watch};

use crate::directory::Directory;
use crate::error::{ApiError, log_chain};
use crate::failures::Failures;
use crate::fence::Fence;
use crate::hub::Hub;
use crate::load::Load;
use crate::metrics::Metrics;
use crate::reserve::Reserve;
use crate::security::Security;

/// What does not change while the server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How people, clusters and API servers reach us, without a slash at its end.
    pub public_url: String,
    /// What a project's namespace is called: this and the project's name.
    pub namespace_prefix: String,
    /// Which namespaces no project takes.
    pub reserved_namespaces: ReservedNamespaces,
    /// When the account was made.
    pub account_created_at: Timestamp,
    /// How many workloads a project may have.
    pub workloads_per_project: u32,
    /// How often a link stream says that it is still there, and looks whether its token is.
    pub heartbeat: Duration,
    /// Which history of the database this process writes.
    pub history: HistoryId,
    /// For how many days events of failed attempts are kept; for ever without.
    pub failed_attempts_days: Option<u32>,
}

/// The application.
pub struct App {
    /// What lasts.
    pub store: Arc<dyn Store>,
    /// What the time is.
    pub clock: Clock,
    /// Keys, tokens and verifiers.
    pub security: Security,
    /// Open link streams.
    pub hub: Arc<Hub>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What does not change.
    pub settings: Settings,
    /// Failed attempts that are not recorded yet.
    pub failures: Failures,
    /// Requests in flight.
    pub load: Load,
    /// Room on the disk for revocations.
    pub reserve: Arc<Reserve>,
    /// True once the server is to end.
    pub stopping: watch::Sender<bool>,
    directory: RwLock<Directory>,
    /// What of each change is written outside of the database.
    fence: OnceLock<Fence>,
    turn: Mutex<()>,
    /// Reports share it; reading the directory again takes it alone, or it would undo what a report has just brought.
    reload: tokio::sync::RwLock<()>,
    /// True while the directory may lag behind what was committed: nothing is decided from it then.
    stale: AtomicBool,
}

impl App {
    /// Loads the directory and opens the clusters' lines.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        security: Security,
        settings: Settings,
        reserve: Arc<Reserve>,
    ) -> Result<Arc<Self>, reeve_store::StoreError> {
        let app = Arc::new(Self {
            store,
            clock,
            security,
            hub: Arc::default(),
            metrics: Arc::default(),
            settings,
            failures: Failures::default(),
            load: Load::default(),
            reserve,
            stopping: watch::Sender::new(false),
            directory: RwLock::default(),
            fence: OnceLock::new(),
            turn: Mutex::default(),
            reload: tokio::sync::RwLock::default(),
            stale: AtomicBool::new(true),
        });
        app.reload().await?;
        Ok(app)
    }

    /// The directory as it is now. Not to be held over an `await`: the compiler sees to that.
    pub fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory, to be brought to what was committed. Only inside [`App::change`].
    pub fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a change: authorize, commit, bring the directory up to date, one change after the other, so that the directory
    /// moves in the order of commits and a decision inside `work` still holds when it commits.
    ///
    /// The work runs to its end even when its caller goes away. When it is unknown whether something was committed, the
    /// directory is read from the store again, and until that succeeds nobody is answered from it.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn change<T, W>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> W + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, ApiError>> + Send,
    {
        let app = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = app.turn.lock().await;
            app.refresh().await?;
            if app.reserve.is_given() {
                return Err(ApiError::Full);
            }
            app.attempt(work).await
        });
        task.await.map_err(ApiError::internal)?
    }

    /// From now on each change is written down outside of the database, too.
    pub fn keep_fence(&self, fence: Fence) {
        // A second one would be of the same files.
        let _ = self.fence.set(fence);
    }

    /// Writes down outside of the database how far it has come. A failure is logged: the change is done all the same, and a
    /// revocation does not wait for a disk that is full.
    pub async fn advance_fence(&self) {
        let Some(fence) = self.fence.get() else { return };
        if let Err(error) = fence.advance(self.store.as_ref()).await {
            tracing::error!(
                cause = format!("{error:#}"),
                "the files that show a restored database are behind: what was changed last would come back with it"
            );
        }
    }

    /// Where in the audit log the event is that is known outside of the database, after that was brought up to it: what is
    /// known there later is never an earlier one. The end of all numbers where nothing is kept outside.
    pub async fn fenced_event(&self) -> i64 {
        self.advance_fence().await;
        match self.fence.get() {
            Some(fence) => fence.head().await.unwrap_or(0),
            None => i64::MAX,
        }
    }

    /// Keeps a report of a cluster: outside the turn of [`App::change`], for it touches what its own cluster says of itself and
    /// decides nothing; one report of a cluster after the other. It runs to its end even when its caller goes away.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn report<T, W>(
        self: &Arc<Self>,
        cluster: ClusterId,
        work: impl FnOnce(Arc<Self>) -> W + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, ApiError>> + Send,
    {
        let app = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _cluster = app.hub.reports(cluster).lock_owned().await;
            let _shared = app.reload.read().await;
            let outcome = AssertUnwindSafe(work(Arc::clone(&app))).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(ApiError::internal("a report ended in a panic")));
            if matches!(outcome, Err(ApiError::Internal(_) | ApiError::Full)) {
                app.stale.store(true, Ordering::SeqCst);
            }
            outcome
        });
        task.await.map_err(ApiError::internal)?
    }

    /// As [`App::change`], for a change that takes something away from somebody. It is done on a full disk, too: the reserve
    /// is given back for it.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn revoke<T, W>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> W + Clone + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, ApiError>> + Send,
    {
        let app = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = app.turn.lock().await;
            app.refresh().await?;
            match app.attempt(work.clone()).await {
                Err(ApiError::Full) if app.reserve.give_back() => app.attempt(work).await,
                outcome => outcome,
            }
        });
        task.await.map_err(ApiError::internal)?
    }

    /// Whoever calls has the turn.
    async fn attempt<T, W>(self: &Arc<Self>, work: impl FnOnce(Arc<Self>) -> W) -> Result<T, ApiError>
    where
        W: Future<Output = Result<T, ApiError>>,
    {
        let outcome = AssertUnwindSafe(work(Arc::clone(self))).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Err(ApiError::internal("a change ended in a panic")));
        if matches!(outcome, Err(ApiError::Internal(_) | ApiError::Full)) {
            self.stale.store(true, Ordering::SeqCst);
            self.refresh().await?;
        }
        // Before the answer: what somebody was told is done is known to be lost when an older database comes back.
        self.advance_fence().await;
        outcome
    }

    /// Makes sure that the directory is not behind the store. Costs nothing as long as nothing went wrong.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] while it is behind and the store does not answer.
    pub async fn up_to_date(&self) -> Result<(), ApiError> {
        if !self.stale.load(Ordering::SeqCst) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        self.refresh().await
    }

    async fn refresh(&self) -> Result<(), ApiError> {
        if !self.stale.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.reload().await.map_err(|error| {
            log_chain(&error);
            ApiError::Unavailable("the database does not answer: try again in a moment")
        })
    }

    async fn reload(&self) -> Result<(), reeve_store::StoreError> {
        let _alone = self.reload.write().await;
        let directory = Directory::load(self.store.directory().await?);
        let revisions: Vec<_> = directory.clusters().map(|it| (it.id, it.revision)).collect();
        self.hub.retain(|cluster| directory.cluster(cluster).is_some());
        for cluster in directory.clusters() {
            self.hub.open(
                cluster.id,
                cluster.revision,
                cluster.last_liveness,
                cluster.credential,
            );
        }
        *self.directory_mut() = directory;
        self.stale.store(false, Ordering::SeqCst);
        self.hub.announce(&revisions);
        Ok(())
    }

    /// Brings the directory and the streams to the revisions a change has reached.
    pub fn announce(&self, revisions: &[(ClusterId, Revision)]) {
        {
            let mut directory = self.directory_mut();
            for (cluster, revision) in revisions {
                if let Some(facts) = directory.cluster_mut(*cluster) {
                    facts.revision = facts.revision.max(*revision);
                }
            }
        }
        self.hub.announce(revisions);
    }
}
