//! The one road of every change: authorize, commit, bring the directory up to date, answer.
//!
//! The work of a handler answers what the store committed ([`Committed`]); it cannot reach the directory in memory, which follows
//! the change log (`follow.rs`). **Promises.**
//! - People's changes are done one after the other, so that a decision inside the work still holds when it commits, and the
//!   next request is answered from a directory that knows the change.
//! - A change that was begun runs to its end even when its caller goes away.
//! - What was decided before somebody else's change, which another process made, is decided again after it (the store refuses it:
//!   [`reeve_store::StoreError::Again`]).
//! - Whoever asks is still signed in when it is decided, however long it waited and however often it is decided.
//! - When it is unknown whether something was committed, nobody is answered from the directory until it is known.
//! - A revocation is done on a full disk, too: the reserve is given back for it.
//! - Reports of a cluster wait for each other and not for people's changes: they decide nothing.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use reeve_store::{Committed, FenceStep};
use reeve_types::ClusterId;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::app::App;
use crate::caller::Asker;
use crate::error::ApiError;

/// How often something is decided again, because others change something at the same time.
const TRIES: usize = 4;
/// After how long a database that is away counts as silent, and not as one that refuses.
const SILENT: Duration = Duration::from_secs(2);

/// What is done, which decides whom it waits for and what it may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Somebody gets or changes something.
    Change,
    /// Something is taken away from somebody.
    Revocation,
    /// A cluster speaks of itself.
    Report(ClusterId),
}

impl App {
    /// Does a change. Refused, as reports are, while the room on the disk is only for revocations.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn change<T, W>(
        self: &Arc<Self>,
        asker: Asker,
        work: impl FnOnce(Arc<Self>) -> W + Clone + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<Committed<T>, ApiError>> + Send,
    {
        self.commit(Kind::Change, asker, work).await
    }

    /// Does a change that takes something away from somebody: on a full disk, too.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn revoke<T, W>(
        self: &Arc<Self>,
        asker: Asker,
        work: impl FnOnce(Arc<Self>) -> W + Clone + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<Committed<T>, ApiError>> + Send,
    {
        self.commit(Kind::Revocation, asker, work).await
    }

    /// Keeps a report of a cluster: one after the other of each cluster, beside whatever people change.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn report<T, W>(
        self: &Arc<Self>,
        cluster: ClusterId,
        work: impl FnOnce(Arc<Self>) -> W + Clone + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<Committed<T>, ApiError>> + Send,
    {
        self.commit(Kind::Report(cluster), Asker::System, work).await
    }

    async fn commit<T, W>(
        self: &Arc<Self>,
        kind: Kind,
        asker: Asker,
        work: impl FnOnce(Arc<Self>) -> W + Clone + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        W: Future<Output = Result<Committed<T>, ApiError>> + Send,
    {
        let app = Arc::clone(self);
        let failures = self.following.failures();
        let task = tokio::spawn(async move {
            let _write_lock = app.write_lock_for(kind).await;
            app.up_to_date_since(failures).await?;
            // What room there is then is for revocations; a cluster says again what it could not say.
            if kind != Kind::Revocation && app.reserve.is_given() {
                return Err(ApiError::Full);
            }
            let outcome = app.attempts(kind, asker, work).await;
            let away = matches!(outcome, Err(ApiError::Unavailable(_)));
            if !away && !matches!(kind, Kind::Report(_)) {
                // Before the answer: what somebody was told is done is known to be lost when an older database comes back.
                let step = outcome.as_ref().ok().and_then(|(_, step)| step.as_ref());
                app.advance_fence(step).await;
            }
            outcome.map(|(value, _)| value)
        });
        task.await.map_err(ApiError::internal)?
    }

    async fn write_lock_for(&self, kind: Kind) -> OwnedMutexGuard<()> {
        match kind {
            Kind::Change | Kind::Revocation => Arc::clone(&self.write_lock).lock_owned().await,
            Kind::Report(cluster) => self.cluster_streams.reports(cluster).lock_owned().await,
        }
    }

    /// Whoever calls has the turn.
    async fn attempts<T, W>(
        self: &Arc<Self>,
        kind: Kind,
        asker: Asker,
        work: impl FnOnce(Arc<Self>) -> W + Clone,
    ) -> Result<(T, Option<FenceStep>), ApiError>
    where
        W: Future<Output = Result<Committed<T>, ApiError>>,
    {
        for _ in 1..TRIES {
            let outcome = match self.attempt(asker, work.clone()).await {
                Err(ApiError::Full) if kind == Kind::Revocation && self.reserve.give_back() => {
                    self.attempt(asker, work.clone()).await
                }
                outcome => outcome,
            };
            if !matches!(outcome, Err(ApiError::Again)) {
                return outcome;
            }
            self.know_what_is_newer().await?;
        }
        self.attempt(asker, work).await
    }

    /// Whoever asked may have been signed out while the change waited for its turn, or was decided again.
    fn still_asks(&self, asker: Asker) -> Result<(), ApiError> {
        let Asker::Session(subject, session) = asker else {
            return Ok(());
        };
        let known = self.directory().authenticate(subject, session, self.clock.now());
        known.map(drop).ok_or(ApiError::SIGNED_OUT)
    }

    /// After [`ApiError::Again`].
    async fn know_what_is_newer(&self) -> Result<(), ApiError> {
        let restored = self.following.restored();
        self.catch_up().await?;
        // Whoever asked may not even be signed in any more.
        if self.following.restored() != restored {
            return Err(ApiError::Unavailable("the database was restored: try again"));
        }
        Ok(())
    }

    /// Whoever calls has the turn.
    async fn attempt<T, W>(
        self: &Arc<Self>,
        asker: Asker,
        work: impl FnOnce(Arc<Self>) -> W,
    ) -> Result<(T, Option<FenceStep>), ApiError>
    where
        W: Future<Output = Result<Committed<T>, ApiError>>,
    {
        self.still_asks(asker)?;
        let begun = Instant::now();
        let outcome = AssertUnwindSafe(work(Arc::clone(self))).catch_unwind().await;
        match outcome.unwrap_or_else(|_| Err(ApiError::internal("a change ended in a panic"))) {
            Ok(committed) => {
                self.follow(&committed.log).await;
                Ok((committed.value, committed.step))
            }
            Err(error) => {
                // What has no room on the disk was undone by the database.
                if matches!(error, ApiError::Internal(_) | ApiError::Unavailable(_)) {
                    self.following.doubt();
                }
                // Who waited behind this one need not wait as long for the same.
                if matches!(error, ApiError::Unavailable(_)) && begun.elapsed() > SILENT {
                    self.following.failed();
                }
                // What is away is asked again by whoever comes next.
                if !matches!(error, ApiError::Unavailable(_)) {
                    self.up_to_date().await?;
                }
                Err(error)
            }
        }
    }
}
