//! When everything is asked for again because something was refused that may be allowed later. Pure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(600);

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST)
        .with_max_delay(LAST)
        .with_factor(2.0)
        .without_max_times()
        .build()
}

/// The plan. Made by the first refusal, which later ones do not put off; given up as soon as everything is asked for, for
/// whatever reason: so it never ends the connection that it led to.
#[derive(Debug)]
pub struct RetryPlan {
    pauses: ExponentialBackoff,
    at: Option<Instant>,
}

impl Default for RetryPlan {
    fn default() -> Self {
        Self {
            pauses: pauses(),
            at: None,
        }
    }
}

impl RetryPlan {
    /// When to ask; `None` while nothing is planned.
    pub const fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Something was refused: ask after a pause, if nothing is planned. From one plan to the next it doubles, up to ten
    /// minutes.
    pub fn refused(&mut self, now: Instant) {
        if self.at.is_none() {
            self.at = Some(now + self.pauses.next().unwrap_or(LAST));
        }
    }

    /// Everything is being asked for.
    pub const fn asked(&mut self) {
        self.at = None;
    }

    /// Everything came, and nothing of it was refused.
    pub fn granted(&mut self) {
        *self = Self::default();
    }
}
