//! How long PostgreSQL is waited for, and what is remembered of its silence.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long the answer to a statement is waited for: after that the database counts as away.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection is waited for. A little less: that all of them are in use is no silence.
pub(super) const ACQUIRE: Duration = Duration::from_millis(4500);
/// How long a connection that was idle, or that is given back, has to show that it is alive.
pub(super) const PING: Duration = Duration::from_secs(2);

/// When the database last did not answer in time. Connections that were open then are not used again: each of them would be
/// waited for once more, one after the other, long after the database is back.
#[derive(Debug)]
pub(super) struct Patience {
    begun: Instant,
    /// Milliseconds after the beginning, and one; 0 for never.
    silent: AtomicU64,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            silent: AtomicU64::new(0),
        }
    }

    /// The outcome of `work`, or that the database does not answer.
    pub(super) async fn with<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        self.bounded(PATIENCE, work).await
    }

    /// As [`Patience::with`], with a bound of its own.
    pub(super) async fn bounded<T>(
        &self,
        bound: Duration,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        match tokio::time::timeout(bound, work).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.silent.store(self.now(), Ordering::SeqCst);
                Err(silence())
            }
        }
    }

    /// Whether a connection of this age was open when the database was silent.
    pub(super) fn outlived(&self, age: Duration) -> bool {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let opened = self.now().saturating_sub(age);
        opened <= self.silent.load(Ordering::SeqCst)
    }

    fn now(&self) -> u64 {
        let since = self.begun.elapsed().as_millis();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// The outcome of `work`, which waits for somebody else who waits for the database, or that it does not answer.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(silence()))
}

/// A database that does not answer in time.
pub(super) fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database does not answer",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silence_makes_every_connection_of_before_suspect_and_no_later_one() {
        let patience = Patience::new();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(
            !patience.outlived(Duration::from_millis(50)),
            "nothing was silent"
        );
        let never = std::future::pending::<Result<(), sqlx::Error>>();
        assert!(patience.bounded(Duration::from_millis(1), never).await.is_err());
        assert!(patience.outlived(Duration::from_millis(50)));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!patience.outlived(Duration::from_millis(5)));
    }
}
