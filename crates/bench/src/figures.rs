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

/// What a line ends with whose figure is over its bar.
pub const OVER: &str = "  OVER";

/// A bar of `DESIGN.md` 6 on a time: the series, of how many thousandths, in milliseconds.
const BARS: [(&str, usize, u64); 8] = [
    ("rule -> RoleBinding", 990, 50),
    ("revocation -> refused by REST", 990, 10),
    ("rule -> RoleBinding, among 50,000 rules", 990, 100),
    ("revocation -> refused by REST, among 50,000 rules", 990, 10),
    ("revocation through one server -> refused by the other", 990, 250),
    ("a rule deleted -> answered, amid a flood of guesses", 1000, 2000),
    ("credential changed -> copied into every project", 990, 2000),
    (
        "pod made -> on the list of its person (20 pods/s come and go)",
        990,
        1000,
    ),
];

/// A ratio: what, to what, how the latter is called, and in hundredths the bar if there is one.
const RATIOS: [(&str, &str, &str, Option<u32>); 7] = [
    (
        "pod create, a namespace that is no project",
        "pod create, a namespace without our policies",
        "without",
        Some(110),
    ),
    (
        "pod create, our policies, nothing missing",
        "pod create, a namespace without our policies",
        "without",
        Some(130),
    ),
    (
        "pod create, our policies, identity filled in",
        "pod create, a namespace without our policies",
        "without",
        Some(170),
    ),
    (
        "pod create, our policies beside a webhook, nothing missing",
        "pod create, the same rules as a webhook, nothing missing",
        "by the webhook",
        None,
    ),
    (
        "pod create, our policies beside a webhook, identity filled in",
        "pod create, the same rules as a webhook, identity filled in",
        "by the webhook",
        None,
    ),
    (
        "pod create, the same rules as a webhook, nothing missing",
        "pod create, beside the webhook, a namespace that is no project",
        "without",
        None,
    ),
    (
        "pod create, the same rules as a webhook, identity filled in",
        "pod create, beside the webhook, a namespace that is no project",
        "without",
        None,
    ),
];

/// What our policies add to a pod, to what the same rules add as a webhook, in hundredths at most. The bar of `DESIGN.md` 6 is on what
/// admission costs: of the whole request, more than 45 hundredths of what it takes by the webhook are the pod's own.
const ADDED: u32 = 50;

/// What is added: its name, a pod by our policies and one beside it without, one by the webhook and one beside that without.
const ADDITIONS: [(&str, [&str; 4]); 2] = [
    (
        "what our policies add to a pod, nothing missing",
        [
            "pod create, our policies beside a webhook, nothing missing",
            "pod create, beside our policies, a namespace that is no project",
            "pod create, the same rules as a webhook, nothing missing",
            "pod create, beside the webhook, a namespace that is no project",
        ],
    ),
    (
        "what our policies add to a pod, identity filled in",
        [
            "pod create, our policies beside a webhook, identity filled in",
            "pod create, beside our policies, a namespace that is no project",
            "pod create, the same rules as a webhook, identity filled in",
            "pod create, beside the webhook, a namespace that is no project",
        ],
    ),
];

/// Bars on the authorization index with so many rules: bytes a rule, milliseconds to load, and of who-can, as of all times, the 99th
/// percentile in nanoseconds.
const INDEX: [(&str, usize, f64); 5] = [
    ("memory", 100_000, 130.0),
    ("memory", 1_000_000, 130.0),
    ("load", 1_000_000, 700.0),
    ("who-can", 100_000, 300_000.0),
    ("who-can", 1_000_000, 5_000_000.0),
];

/// What follows on a figure of the index: that it is over its bar, or nothing.
pub(crate) fn of_index(figure: &str, rules: usize, found: f64) -> &'static str {
    let over = |(name, at, bar): &(&str, usize, f64)| (*name, *at) == (figure, rules) && found > *bar;
    if INDEX.iter().any(over) { OVER } else { "" }
}

impl Series {
    fn is_over(&self) -> bool {
        let over = |(_, per_mille, bar): &(&str, usize, u64)| {
            self.quantile(*per_mille)
                .is_some_and(|found| found > Duration::from_millis(*bar))
        };
        BARS.iter().filter(|(name, ..)| *name == self.name).any(over)
    }
}

/// The middle one of what is between samples that were taken in the same turn, in seconds: what slows the machine down slows both.
fn middle(of: &Series, to: &Series, between: fn(f64, f64) -> f64) -> Option<f64> {
    let pairs = of.samples.iter().zip(&to.samples);
    let mut all: Vec<f64> = pairs
        .map(|(of, to)| between(of.as_secs_f64(), to.as_secs_f64()))
        .collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

fn ratio(of: &Series, to: &Series) -> Option<f64> {
    middle(of, to, |of, to| of / to)
}

fn added(of: &Series, to: &Series) -> Option<f64> {
    middle(of, to, |of, to| of - to)
}

fn against(ratio: f64, bar: u32) -> String {
    let bar = f64::from(bar) / 100.0;
    format!(", bar {bar:.2}x{}", if ratio > bar { OVER } else { "" })
}

/// The ratios, as far as both sides were measured.
pub fn ratios(series: &[Series]) -> String {
    let named = |name: &str| series.iter().find(|one| one.name == name);
    let mut text = String::new();
    for (what, base, called, bar) in RATIOS {
        let Some(ratio) = named(what).zip(named(base)).and_then(|(of, to)| ratio(of, to)) else {
            continue;
        };
        let bar = bar.map_or_else(String::new, |bar| against(ratio, bar));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{what}: {ratio:.2}x of it {called}{bar}");
    }
    for (what, [policies, bare, webhook, beside]) in ADDITIONS {
        let ours = named(policies)
            .zip(named(bare))
            .and_then(|(of, to)| added(of, to));
        let its = named(webhook)
            .zip(named(beside))
            .and_then(|(of, to)| added(of, to));
        let Some((ours, its)) = ours.zip(its) else {
            continue;
        };
        let ratio = ours / its;
        let bar = against(ratio, ADDED);
        let _ = writeln!(
            text,
            "{what}: {ratio:.2}x of what the same rules add as a webhook{bar}"
        );
    }
    text
}

/// The lines of a report whose figure is over its bar.
pub fn over(report: &str) -> Vec<&str> {
    report.lines().filter(|line| line.ends_with(OVER)).collect()
}

/// The table for people: count, p50, p90, p99 and greatest, in milliseconds. What is over its bar says so.
pub fn table(series: &[Series]) -> String {
    let mut text = format!(
        "{:<62} {:>6} {:>9} {:>9} {:>9} {:>9}\n",
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
            "{:<62} {:>6} {p50:>9} {p90:>9} {p99:>9} {max:>9}{}",
            one.name,
            one.samples.len(),
            if one.is_over() { OVER } else { "" }
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
    fn what_is_over_its_bar_says_so_and_is_found() {
        let series = |name, milliseconds: u64| Series {
            name,
            samples: vec![Duration::from_millis(milliseconds); 100],
        };
        let report = |bound: u64, bare: u64, filled: u64| {
            let all = [
                series("rule -> RoleBinding", bound),
                series(RATIOS[2].1, bare),
                series(RATIOS[2].0, filled),
                series("something without a bar", 60_000),
            ];
            table(&all) + &ratios(&all)
        };
        assert_eq!(over(&report(50, 100, 169)), Vec::<&str>::new());
        let missed = report(51, 100, 171);
        let names: Vec<&str> = over(&missed).iter().map(|line| line.get(..12).unwrap()).collect();
        assert_eq!(names, ["rule -> Role", "pod create, "]);
    }

    /// Planted fault: the ratio the other way round, or of the whole request, is over the bar.
    #[test]
    fn policies_that_add_half_of_what_the_webhook_adds_are_over() {
        let report = |policies: u64| {
            let series = |name, milliseconds| Series {
                name,
                samples: vec![Duration::from_millis(milliseconds); 9],
            };
            let [by_policies, bare, by_webhook, beside] = ADDITIONS[1].1;
            ratios(&[
                series(by_policies, policies),
                series(bare, 1000),
                series(by_webhook, 2200),
                series(beside, 1200),
            ])
        };
        let text = report(1499);
        assert!(
            text.contains("identity filled in: 0.50x of what the same rules add as a webhook, bar 0.50x\n"),
            "{text}"
        );
        assert!(
            text.contains("identity filled in: 0.68x of it by the webhook\n"),
            "{text}"
        );
        assert_eq!(over(&text), Vec::<&str>::new());
        assert_eq!(over(&report(1501)).len(), 1);
    }

    /// Planted fault: a bar on 990 thousandths lets one slow revocation in a hundred pass.
    #[test]
    fn of_revocations_in_a_flood_the_slowest_counts() {
        let mut series = Series {
            name: "a rule deleted -> answered, amid a flood of guesses",
            samples: vec![Duration::from_millis(10); 200],
        };
        assert!(!series.is_over());
        series.samples.push(Duration::from_millis(2001));
        assert!(series.is_over());
    }

    #[test]
    fn a_figure_of_the_index_is_over_its_bar_at_its_size_alone() {
        assert_eq!(of_index("load", 1_000_000, 700.0), "");
        assert_eq!(of_index("load", 1_000_000, 700.1), OVER);
        assert_eq!(of_index("load", 100_000, 700.1), "");
        assert_eq!(of_index("memory", 100_000, 131.0), OVER);
    }

    #[test]
    fn every_bar_is_on_something_that_is_measured() {
        let measured = [
            include_str!("stack.rs"),
            include_str!("replicas.rs"),
            include_str!("pods.rs"),
            include_str!("pods/webhook.rs"),
            include_str!("identities.rs"),
            include_str!("credentials.rs"),
            include_str!("flood.rs"),
            include_str!("authz.rs"),
        ]
        .concat();
        let names = BARS
            .iter()
            .map(|bar| bar.0)
            .chain(INDEX.iter().map(|bar| bar.0))
            .chain(RATIOS.iter().flat_map(|it| [it.0, it.1]))
            .chain(ADDITIONS.iter().flat_map(|it| it.1));
        for name in names {
            assert!(measured.contains(&format!("{name:?}")), "{name}");
        }
    }

    #[test]
    fn quantiles_are_samples() {
        let samples = (1..=100).map(Duration::from_millis).collect();
        let series = Series { name: "x", samples };
        assert_eq!(series.quantile(500), Some(Duration::from_millis(51)));
        assert_eq!(series.quantile(1000), Some(Duration::from_millis(100)));
        assert_eq!(Series::new("none").quantile(500), None);
    }
}
