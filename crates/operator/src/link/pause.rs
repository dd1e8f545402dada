//! How long to wait before dialling again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The shortest pause, without what chance adds to it.
const FIRST: Duration = Duration::from_millis(125);
/// The longest, likewise.
const LONGEST: Duration = Duration::from_secs(4);

/// The pauses after one failure, after the next, and so on: each about twice the one before, from a quarter of a second to
/// eight seconds. Chance adds up to as much again to each, so that the operators of many clusters do not come back at one
/// moment.
#[derive(Debug)]
pub struct Pauses {
    builder: ExponentialBuilder,
    pauses: ExponentialBackoff,
}

impl Pauses {
    /// Before the first failure. `seed` differs between processes.
    pub fn new(seed: u64) -> Self {
        let builder = ExponentialBuilder::new()
            .with_min_delay(FIRST)
            .with_max_delay(LONGEST)
            .with_factor(2.0)
            .without_max_times()
            .with_jitter()
            .with_jitter_seed(seed);
        Self {
            pauses: builder.build(),
            builder,
        }
    }

    /// There was a connection: the next pause is a short one again.
    pub fn connected(&mut self) {
        self.pauses = self.builder.build();
    }

    /// How long to wait now.
    pub fn after_failure(&mut self) -> Duration {
        self.pauses.next().unwrap_or(LONGEST)
    }
}
