//! `make bench-peers`: the engine beside Cedar, regorus and casbin, in one run.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use reeve_peers::figures::{self, Bounds, Figures, Kind, Loaded, Questions, Spread};

/// Times the decision engine and its peers on one rule set.
#[derive(Parser)]
struct Arguments {
    /// Numbers of rules.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    rules: Vec<u32>,
    /// Only these engines.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Where peers.txt, peers.csv and peers.svg go.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
    /// Load this engine alone and say what it took: what each engine's process is started with.
    #[arg(long, hide = true)]
    weigh: Option<Kind>,
    /// How many seconds an engine may take to load; one that takes longer is left out.
    #[arg(long, default_value_t = 120)]
    load_seconds: u64,
    /// How many MiB it may have meanwhile, likewise.
    #[arg(long, default_value_t = 4096)]
    load_mib: u64,
    /// Fail where a figure is over its bar.
    #[arg(long)]
    strict: bool,
}

/// How many times faster than Cedar's best encoding a check is to be.
const BAR: u64 = 50;
const MIB: u64 = 1024 * 1024;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(kind) = arguments.weigh {
        let rules = arguments.rules.first().copied().context("a number of rules")?;
        let weight = figures::weigh(kind, rules)?;
        let bytes = weight
            .bytes
            .map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        writeln!(std::io::stdout(), "{} {bytes}", weight.took.as_micros())?;
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::create_dir_all(&arguments.dir)
        .with_context(|| format!("making `{}`", arguments.dir.display()))?;
    let kinds: Vec<Kind> = if arguments.only.is_empty() {
        Kind::ALL.to_vec()
    } else {
        arguments.only.clone()
    };
    let bounds = Bounds {
        time: Duration::from_secs(arguments.load_seconds),
        memory: arguments.load_mib * MIB,
    };
    let mut report = Report::begin(&arguments.dir)?;
    for rules in &arguments.rules {
        report.add(&format!("{rules} rules\n"))?;
        let mut there = Vec::new();
        for kind in kinds.iter().copied() {
            let came = figures::apart(kind, *rules, bounds)?;
            report.add(&loaded(kind, *rules, came, bounds))?;
            match came {
                Loaded::Within(_) => there.push(kind),
                Loaded::Beyond(..) => report.left_out.push((kind, *rules)),
            }
        }
        let measured = figures::measure(&there, *rules)?;
        report.add(&checks(&measured))?;
        report.figures.extend(measured);
        if kinds.contains(&Kind::Reeve) {
            report.add(&questions(&figures::questions(*rules)?))?;
        }
        report.keep()?;
    }
    Ok(if arguments.strict && report.text.contains("OVER") {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Printed and written as it grows, so that a run that is stopped keeps what it has.
struct Report<'a> {
    dir: &'a Path,
    text: String,
    figures: Vec<Figures>,
    /// What could not be loaded within the bounds.
    left_out: Vec<(Kind, u32)>,
}

impl<'a> Report<'a> {
    fn begin(dir: &'a Path) -> Result<Self> {
        let mut report = Self {
            dir,
            text: String::new(),
            figures: Vec::new(),
            left_out: Vec::new(),
        };
        report.add(&machine())?;
        Ok(report)
    }

    fn add(&mut self, text: &str) -> Result<()> {
        write!(std::io::stdout(), "{text}")?;
        self.text += text;
        self.write("peers.txt", &self.text)
    }

    fn keep(&self) -> Result<()> {
        self.write("peers.csv", &figures::csv(&self.figures, &self.left_out))?;
        let caption = "one check, by number of rules: p50, p99 dashed";
        self.write("peers.svg", &figures::svg(&self.figures, caption))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.dir.join(name), text).with_context(|| format!("writing `{name}`"))
    }
}

fn loaded(kind: Kind, rules: u32, came: Loaded, bounds: Bounds) -> String {
    let name = kind.name();
    match came {
        Loaded::Within(weight) => {
            let bytes = weight.bytes.map_or_else(
                || "memory not measured".to_owned(),
                |bytes| format!("{} bytes a rule", bytes / u64::from(rules.max(1))),
            );
            let took = weight.took.as_secs_f64() * 1_000.0;
            format!("  {name:<13} load {took:>9.1} ms, {bytes}\n")
        }
        Loaded::Beyond(took, bytes) => format!(
            "  {name:<13} left out: stopped while it loaded, after {:.1} s and with {} MiB ({} s and {} MiB are the bounds)\n",
            took.as_secs_f64(),
            bytes / MIB,
            bounds.time.as_secs(),
            bounds.memory / MIB
        ),
    }
}

fn checks(all: &[Figures]) -> String {
    let mut text = String::new();
    let ours = all.iter().find(|figures| figures.kind == Kind::Reeve);
    let cedar = [Kind::CedarGrants, Kind::CedarLinks];
    let best = all
        .iter()
        .filter(|figures| cedar.contains(&figures.kind))
        .min_by_key(|figures| figures.median(|spread| spread.p50));
    for figures in all {
        let (p50, p99) = (
            figures.median(|spread| spread.p50),
            figures.median(|spread| spread.p99),
        );
        let (low, high) = figures.range(|spread| spread.p50);
        let count: usize = figures.rounds.iter().map(|round| round.count).sum();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "  {:<13} check p50 {p50} ns ({low} to {high} by round), p99 {p99} ns, {count} checks, {} % allowed, {} compared",
            figures.kind.name(),
            figures.allowed,
            figures.agreed
        );
        if let Some(ours) = ours.filter(|ours| ours.kind != figures.kind) {
            let times = |of: fn(&Spread) -> u64| figures.median(of) / ours.median(of).max(1);
            let (p50, p99) = (times(|spread| spread.p50), times(|spread| spread.p99));
            let over = best.is_some_and(|best| best.kind == figures.kind) && p50 < BAR;
            let over = if over {
                format!("  OVER: {BAR}x is the bar")
            } else {
                String::new()
            };
            let _ = write!(text, ": {p50}x and {p99}x of reeve{over}");
        }
        text.push('\n');
    }
    text
}

fn questions(asked: &Questions) -> String {
    let mut text = String::new();
    for (name, spread) in [
        ("explain", asked.explain),
        ("who-can", asked.who_can),
        ("what-can", asked.what_can),
        ("preview", asked.preview),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  reeve         {name} p50 {} ns, p99 {} ns ({})",
            spread.p50, spread.p99, spread.count
        );
    }
    text
}

/// What the figures were taken on.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: ").map(str::to_owned))
        .unwrap_or_default();
    format!("{cores} cores of {model}, load {}", read("/proc/loadavg"))
}
