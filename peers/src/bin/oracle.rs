//! `make oracle`: the engine against a naive evaluator and Cedar.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use reeve_peers::comparison::{self, Plan, Seen};

/// Compares random decisions and lists of the engine with those of a naive evaluator and of two encodings in Cedar.
#[derive(Parser)]
struct Arguments {
    /// How many decisions; for every hundred of them there is a list.
    #[arg(long, default_value_t = 1_000_000)]
    decisions: u64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 20_261_124)]
    seed: u64,
    /// How many threads; as many as there are cores unless it is said.
    #[arg(long)]
    threads: Option<usize>,
    /// Only the story with this number, to see what was reported of it again.
    #[arg(long)]
    story: Option<u64>,
}

/// Below this many decisions a run may miss some of what longer ones always meet.
const TELLING: u64 = 50_000;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let seen = comparison::run(&Plan {
        seed: arguments.seed,
        decisions: arguments.decisions,
        threads: arguments.threads.unwrap_or(cores),
        story: arguments.story,
    })?;
    Ok(report(&seen)?)
}

fn report(seen: &Seen) -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{seen}")?;
    for one in &seen.disagreements {
        writeln!(out, "  {one}")?;
    }
    let missing = if seen.decisions < TELLING || !seen.disagreements.is_empty() {
        Vec::new()
    } else {
        seen.missing()
    };
    for one in &missing {
        writeln!(out, "  too little to show anything: {one}")?;
    }
    let fine = seen.disagreements.is_empty() && missing.is_empty();
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
