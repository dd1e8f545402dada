//! `make bench`: every figure from one run, as text and CSV.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use reeve_bench::{
    authz, clusters, credentials, figures, flood, held, identities, lists, pods, replicas, stack, submissions,
};
use reeve_e2e::{Options, Organization, Stack};
use reeve_testkit::Tier;
use tokio::time::Instant;

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
    /// Changes of a credential to time.
    #[arg(long, default_value_t = 100)]
    credentials: usize,
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
    /// Workloads of the largest size that server and operator hold for one cluster.
    #[arg(long, default_value_t = 10_000)]
    held: usize,
    /// Pages of fifty to time for each list, on each database.
    #[arg(long, default_value_t = 1_200)]
    pages: usize,
    /// Simulated clusters on one server at a time; 0 leaves them out.
    #[arg(long, default_value_t = 1_000)]
    clusters: usize,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Fail where a figure is over its bar.
    #[arg(long)]
    strict: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Decisions in process.
    Authz,
    /// Lists, on each database.
    Lists,
    /// Simulated clusters.
    Clusters,
    /// Revocations while others guess at secrets.
    Flood,
    /// Revocations through one of two servers.
    Replicas,
    /// Rules and revocations.
    Rules,
    /// The same among ten thousand projects and fifty thousand rules.
    Many,
    /// From `reeve submit` to a running container.
    Submissions,
    /// Changes of a credential.
    Credentials,
    /// What our policies cost a pod, and the same rules as a webhook.
    Pods,
    /// The lists of whose a pod is.
    Identities,
    /// What server and operator hold in memory.
    Held,
}

impl Arguments {
    fn measures(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
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

/// What was measured so far. A part is printed and written when it is there, so that a run that fails keeps what it has.
struct Report {
    text: String,
    series: Vec<figures::Series>,
    dir: PathBuf,
    began: Instant,
}

impl Report {
    fn begin(dir: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&dir).with_context(|| format!("making `{}`", dir.display()))?;
        let mut report = Self {
            text: String::new(),
            series: Vec::new(),
            dir,
            began: Instant::now(),
        };
        report.add(&machine(), Vec::new())?;
        Ok(report)
    }

    fn add(&mut self, text: &str, series: Vec<figures::Series>) -> Result<()> {
        let table = if series.is_empty() {
            String::new()
        } else {
            figures::table(&series)
        };
        let text = table + text;
        say(text.trim_end());
        self.text += &text;
        self.series.extend(series);
        std::fs::write(self.dir.join("bench.txt"), &self.text).context("writing bench.txt")?;
        figures::write_csv(&self.dir.join("bench.csv"), &self.series)
    }

    /// Ends with how long all of it took. Where it is asked for, what is over its bar is a failure.
    fn end(mut self, strict: bool) -> Result<()> {
        self.add(&figures::ratios(&self.series), Vec::new())?;
        let took = format!("the whole run took {} s\n", self.began.elapsed().as_secs());
        self.add(&took, Vec::new())?;
        let over = figures::over(&self.text);
        if strict && !over.is_empty() {
            bail!("over their bars:\n{}", over.join("\n"));
        }
        Ok(())
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let mut report = Report::begin(arguments.dir.clone())?;
    if arguments.measures(Part::Authz) {
        for rules in &arguments.loaded {
            report.add(&format!("{}\n", authz::run(*rules)?), Vec::new())?;
        }
    }
    if arguments.measures(Part::Lists) {
        let series = lists::run(&arguments.dir, arguments.pages).await?;
        report.add(&lists::table(&series), series)?;
    }
    if arguments.clusters > 0 && arguments.measures(Part::Clusters) {
        let measured = clusters::run(&empty(&arguments.dir, "clusters")?, arguments.clusters).await?;
        report.add(&measured.text, measured.series)?;
    }
    if arguments.measures(Part::Flood) {
        let measured = flood::run(&empty(&arguments.dir, "flood")?).await?;
        report.add(&measured.text, measured.series)?;
    }
    if arguments.measures(Part::Replicas) {
        report.add(
            "",
            replicas::run(&empty(&arguments.dir, "replicas")?, arguments.rules).await?,
        )?;
    }
    if arguments.measures(Part::Many) {
        among_many(&mut report, &arguments).await?;
    }
    let in_kubernetes_too = [
        Part::Rules,
        Part::Submissions,
        Part::Credentials,
        Part::Pods,
        Part::Identities,
        Part::Held,
    ];
    if in_kubernetes_too.iter().any(|part| arguments.measures(*part)) {
        in_kubernetes(&mut report, &arguments).await?;
    }
    report.end(arguments.strict)
}

/// A folder of the bench without what a run before left there: a server that finds its database knows another administrator's password.
fn empty(dir: &Path, name: &str) -> Result<PathBuf> {
    let dir = dir.join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing `{}`", dir.display()))?;
    }
    Ok(dir)
}

/// A stack with a Kubernetes.
async fn stack_in(dir: &Path, name: &str) -> Result<Stack> {
    Stack::up(Options {
        tell: say,
        // Half a minute of one of two cores, while the first figures are taken.
        type_checking: false,
        ..Options::new(empty(dir, name)?, Tier::Node)
    })
    .await
}

/// What takes a Kubernetes, and a control plane that has much to do with others.
async fn among_many(report: &mut Report, arguments: &Arguments) -> Result<()> {
    let mut stack = stack_in(&arguments.dir, "many").await?;
    let organization = Organization::make(&stack).await?;
    let series = stack::rules_among_many(&mut stack, &organization, arguments.rules).await?;
    stack.down().await;
    report.add("", series)
}

/// What takes a Kubernetes.
async fn in_kubernetes(report: &mut Report, arguments: &Arguments) -> Result<()> {
    let mut stack = stack_in(&arguments.dir, "stack").await?;
    let organization = Organization::make(&stack).await?;
    timed(report, &stack, &organization, arguments).await?;
    if !arguments.measures(Part::Held) {
        stack.down().await;
        return Ok(());
    }
    let measured = held::run(&mut stack, &organization, arguments.held).await?;
    stack.down().await;
    report.add(
        &format!("{}{}", held::table(&measured.memory), measured.text),
        Vec::new(),
    )
}

/// Everything of which the time is taken.
async fn timed(
    report: &mut Report,
    stack: &Stack,
    organization: &Organization,
    arguments: &Arguments,
) -> Result<()> {
    if arguments.measures(Part::Rules) {
        report.add("", stack::rules(stack, organization, arguments.rules).await?)?;
    }
    if arguments.measures(Part::Submissions) {
        if stack.cluster.real_node().is_ok() {
            report.add(
                "",
                submissions::run(stack, organization, arguments.submissions).await?,
            )?;
        } else {
            say("no real node: submissions are not timed");
        }
    }
    if arguments.measures(Part::Credentials) {
        report.add(
            "",
            credentials::run(stack, organization, arguments.credentials).await?,
        )?;
    }
    if arguments.measures(Part::Pods) {
        report.add("", pods::run(stack, organization, arguments.pods).await?)?;
    }
    if arguments.measures(Part::Identities) {
        let series = identities::run(stack, organization, arguments.listed, arguments.churn).await?;
        report.add("", series)?;
    }
    Ok(())
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
