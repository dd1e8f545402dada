//! Figures as text and as CSV.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// All samples of one quantity, in the order they were taken.
#[derive(Debug, Clone)]
pub struct Series {
    /// What was timed.
    pub name: &'static str,
    /// The samples.
    pub samples: Vec<Duration>,
}

impl Series {
    /// A series without samples.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            samples: Vec::new(),
        }
    }

    /// The sample that `per_mille` thousandths of all are not above; `None` without samples.
    pub fn quantile(&self, per_mille: usize) -> Option<Duration> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last * per_mille).div_ceil(1000)).copied()
    }
}

/// The table for people: count, p50, p90, p99 and greatest, in milliseconds.
pub fn table(series: &[Series]) -> String {
    let mut text = format!(
        "{:<58} {:>6} {:>9} {:>9} {:>9} {:>9}\n",
        "", "n", "p50 ms", "p90 ms", "p99 ms", "max ms"
    );
    for one in series {
        let shown = |per_mille| {
            one.quantile(per_mille)
                .map_or_else(|| "-".to_owned(), milliseconds)
        };
        let (p50, p90, p99, max) = (shown(500), shown(900), shown(990), shown(1000));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<58} {:>6} {p50:>9} {p90:>9} {p99:>9} {max:>9}",
            one.name,
            one.samples.len()
        );
    }
    text
}

/// Writes every single sample, so that others can draw their own picture.
///
/// # Errors
/// The file cannot be written.
pub fn write_csv(file: &Path, series: &[Series]) -> Result<()> {
    let mut text = "quantity,sample,milliseconds\n".to_owned();
    for one in series {
        for (number, sample) in one.samples.iter().enumerate() {
            let _ = writeln!(
                text,
                "{},{number},{}",
                one.name.replace(',', ";"),
                milliseconds(*sample)
            );
        }
    }
    std::fs::write(file, text).with_context(|| format!("writing `{}`", file.display()))
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let samples = (1..=100).map(Duration::from_millis).collect();
        let series = Series { name: "x", samples };
        assert_eq!(series.quantile(500), Some(Duration::from_millis(51)));
        assert_eq!(series.quantile(1000), Some(Duration::from_millis(100)));
        assert_eq!(Series::new("none").quantile(500), None);
    }
}
