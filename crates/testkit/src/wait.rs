//! Waiting for what takes a moment, with a deadline and a reason.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::time::{Instant, sleep};

/// Generous on purpose: how fast something is, is the benchmark's business. And more than twice the half minute after which the garbage
/// collector of Kubernetes asks what new kinds there are.
const DEADLINE: Duration = Duration::from_secs(75);
const POLL: Duration = Duration::from_millis(100);

/// Asks until the answer is there, for at most 75 seconds. See [`wait_for`].
///
/// # Errors
///
/// When the time is over; the last error of the check is its cause.
pub async fn wait_until<T>(what: &str, check: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    wait_for(DEADLINE, what, check).await
}

/// Asks until the check answers `Some`. `None` and errors mean: not yet.
///
/// # Errors
///
/// When the time is over; the last error of the check is its cause.
pub async fn wait_for<T>(
    deadline: Duration,
    what: &str,
    mut check: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + deadline;
    loop {
        let last = match check().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => anyhow!("it did not happen"),
            Err(error) => error,
        };
        if Instant::now() >= end {
            return Err(last).with_context(|| format!("waited {} s for {what}", deadline.as_secs()));
        }
        sleep(POLL).await;
    }
}
