//! What every handler shares.

use std::sync::{Arc, OnceLock, RwLockReadGuard};
use std::time::Duration;

use reeve_store::{FenceStep, Store};
use reeve_types::{Clock, ReservedNamespaces, SessionId, Timestamp};
use tokio::sync::{Mutex, watch};

use crate::cluster_streams::ClusterStreams;
use crate::directory::Directory;
use crate::failures::Failures;
use crate::fence::{Advanced, Fence};
use crate::following::Following;
use crate::guesses::Guesses;
use crate::installation::Charts;
use crate::load::Load;
use crate::metrics::Metrics;
use crate::outgoing::Patience;
use crate::providers::Providers;
use crate::reserve::Reserve;
use crate::security::Security;
use crate::sign_in_rate::SignInRate;
use crate::successes::Successes;

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
    /// How long an operator may leave unread what a stream was sent.
    pub link_patience: Patience,
    /// Whether other processes may serve the same database: they look there whether a cluster is connected.
    pub shared_database: bool,
    /// For how many days events of failed attempts are kept; for ever without.
    pub failed_attempts_days: Option<u32>,
    /// How long a session lasts at most, in seconds.
    pub session_seconds: i64,
    /// For how long a refresh token is good unless it is used, in seconds.
    pub refresh_idle_seconds: i64,
    /// Whether roles may be made here and changed.
    pub custom_roles: bool,
    /// Where the charts and images of clusters are, for whoever installs one.
    pub charts: Charts,
    /// A certificate authority that identity providers are trusted by, in PEM, beside those of the machine.
    pub idp_certificate_authority: Option<String>,
    /// For how many days a key signs before the next one does; for ever without, until somebody rotates them.
    pub signing_key_days: Option<u32>,
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
    pub cluster_streams: Arc<ClusterStreams>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What does not change.
    pub settings: Settings,
    /// When this process started to serve.
    pub started_at: Timestamp,
    /// Failed attempts that are not recorded yet.
    pub failures: Failures,
    /// Tokens that were given and are not recorded yet, each after one that was.
    pub successes: Successes,
    /// How often somebody may sign in with a password.
    pub sign_in_rate: SignInRate,
    /// How often a session is renewed by its refresh token.
    pub refresh_rate: SignInRate<SessionId>,
    /// Wrong passwords of each user.
    pub guesses: Guesses,
    /// What is kept of identity providers.
    pub providers: Providers,
    /// Requests in flight.
    pub load: Load,
    /// Room on the disk for revocations.
    pub reserve: Arc<Reserve>,
    /// True once the server is to end.
    pub stopping: watch::Sender<bool>,
    /// The directory, and how it follows the store.
    pub(crate) following: Following,
    /// Whoever changes something holds it: see `commit.rs`.
    pub(crate) write_lock: Arc<Mutex<()>>,
    /// What of each change is written outside of the database.
    fence: OnceLock<Fence>,
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
            started_at: clock.now(),
            clock,
            security,
            cluster_streams: Arc::default(),
            metrics: Arc::default(),
            failures: Failures::default(),
            successes: Successes::default(),
            sign_in_rate: SignInRate::default(),
            refresh_rate: SignInRate::default(),
            guesses: Guesses::default(),
            providers: Providers::trusting(settings.idp_certificate_authority.clone()),
            load: Load::default(),
            settings,
            reserve,
            stopping: watch::Sender::new(false),
            following: Following::default(),
            write_lock: Arc::default(),
            fence: OnceLock::new(),
        });
        app.read_anew().await?;
        Ok(app)
    }

    /// The directory as it is now. Not to be held over an `await`: the compiler sees to that.
    pub fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.following.directory()
    }

    /// From now on each change is written down outside of the database, too.
    pub fn keep_fence(&self, fence: Fence) {
        // A second one would be of the same files.
        let _ = self.fence.set(fence);
    }

    pub(crate) fn fence(&self) -> Option<&Fence> {
        self.fence.get()
    }

    /// Writes down outside of the database how far it has come, after a write that said by how much or by looking. A failure is
    /// logged: the change is done all the same, and a revocation does not wait for a disk that is full. A database that does not
    /// know how far it had come is another one: what it holds is ended, as at a start.
    pub async fn advance_fence(&self, step: Option<&FenceStep>) {
        let Some(fence) = self.fence.get() else { return };
        match fence.advance(self.store.as_ref(), step).await {
            Ok(Advanced::Done) => {}
            Ok(Advanced::Unknown) => self.end_what_was_restored().await,
            Err(error) => tracing::error!(
                cause = format!("{error:#}"),
                "the files that show a restored database are behind: what was changed last would come back with it"
            ),
        }
    }

    /// Where in the audit log the event is that is known outside of the database, after that was brought up to it: what is
    /// known there later is never an earlier one. The end of all numbers where nothing is kept outside.
    pub async fn fenced_event(&self) -> i64 {
        self.advance_fence(None).await;
        match self.fence.get() {
            Some(fence) => fence.head().await.unwrap_or(0),
            None => i64::MAX,
        }
    }
}
