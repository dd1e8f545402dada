//! `make bench`: every figure from one run, as text and CSV.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use reeve_bench::{authz, figures, held, identities, lists, stack, submissions};
use reeve_e2e::{Options, Organization, Stack};
use reeve_testkit::Tier;

/// Times Reeve on a real Kubernetes and prints p50, p90, p99 of each quantity.
#[derive(Parser)]
struct Arguments {
    /// Where bench.txt and bench.csv go.
    #[arg(long, default_value = "target/bench")]
    dir: PathBuf,
    /// How many access rules are loaded while decisions are timed.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    loaded: Vec<usize>,
    /// Rule changes to time.
    #[arg(long, default_value_t = 200)]
    rules: usize,
    /// Submissions to time.
    #[arg(long, default_value_t = 20)]
    submissions: usize,
    /// Pods to time.
    #[arg(long, default_value_t = 500)]
    pods: usize,
    /// Pods of one namespace that stand on the list of their person while others come and go.
    #[arg(long, default_value_t = 2_000)]
    listed: usize,
    /// Pods that come and go, twenty a second.
    #[arg(long, default_value_t = 600)]
    churn: usize,
    /// Workloads of the largest size that the server holds for one cluster.
    #[arg(long, default_value_t = 10_000)]
    held: usize,
    /// Workloads of the largest size in the real Kubernetes, which needs a second or two for each; etcd holds some 3,000.
    #[arg(long, default_value_t = 500)]
    held_here: usize,
    /// Pages of fifty to time for each list, on each database.
    #[arg(long, default_value_t = 1_200)]
    pages: usize,
    /// Only time lists.
    #[arg(long)]
    lists_only: bool,
    /// Fail where a figure is over its bar.
    #[arg(long)]
    strict: bool,
    /// Only measure what is held in memory.
    #[arg(long)]
    memory_only: bool,
}

fn say(line: &str) {
    // A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Result<()> {
    std::fs::create_dir_all(&arguments.dir)
        .with_context(|| format!("making `{}`", arguments.dir.display()))?;
    let mut text = machine();
    if !arguments.memory_only {
        let series = lists::run(&arguments.dir, arguments.pages).await?;
        text += &format!("{}{}", figures::table(&series), lists::table(&series));
        if arguments.lists_only {
            say(&text);
            return std::fs::write(arguments.dir.join("bench.txt"), &text).context("writing bench.txt");
        }
        for rules in &arguments.loaded {
            text += &format!("{}\n", authz::run(*rules)?);
        }
    }
    let mut stack = Stack::up(Options {
        tell: say,
        ..Options::new(arguments.dir.join("stack"), Tier::Node)
    })
    .await?;
    let organization = Organization::make(&stack).await?;
    let mut series = Vec::new();
    if !arguments.memory_only {
        series = timed(&stack, &organization, &arguments).await?;
    }
    let memory = held::run(&mut stack, &organization, arguments.held, arguments.held_here).await?;
    stack.down().await;
    text += &figures::table(&series);
    text += &figures::ratios(&series);
    text += &held::table(&memory);
    say(&text);
    std::fs::write(arguments.dir.join("bench.txt"), &text).context("writing bench.txt")?;
    figures::write_csv(&arguments.dir.join("bench.csv"), &series)?;
    let over = figures::over(&text);
    if arguments.strict && !over.is_empty() {
        bail!("over their bars:\n{}", over.join("\n"));
    }
    Ok(())
}

/// Everything of which the time is taken.
async fn timed(
    stack: &Stack,
    organization: &Organization,
    arguments: &Arguments,
) -> Result<Vec<figures::Series>> {
    let mut series = stack::rules(stack, organization, arguments.rules).await?;
    if stack.cluster.real_node().is_ok() {
        series.extend(submissions::run(stack, organization, arguments.submissions).await?);
    } else {
        say("no real node: submissions are not timed");
    }
    series.extend(stack::pods(stack, organization, arguments.pods).await?);
    series.extend(identities::run(stack, organization, arguments.listed, arguments.churn).await?);
    Ok(series)
}

/// What the figures were taken on.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|l| l.strip_prefix("model name\t: ").map(str::to_owned))
        .unwrap_or_default();
    format!("{cores} cores of {model}, load {}", read("/proc/loadavg"))
}
