//! How long to wait before dialling again. Pure.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);

/// The pause before attempt `failures + 1`: it doubles up to eight seconds; between half of it and all of it, so that the
/// operators of many clusters do not come back at one moment. `seed` differs between processes.
pub fn pause(failures: u32, seed: u64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.min(10)).min(LONGEST);
    let mixed = (seed ^ u64::from(failures)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let share = u32::try_from(mixed >> 40).unwrap_or(0) % 1000;
    full / 2 + full / 2 * share / 1000
}
