//! Everything with logic behind the Makefile: `cargo xtask boundaries | tidy | gen [--check] | images | scan | test | mutants`.

mod bootstrap;
mod boundaries;
mod circles;
mod dependencies;
mod generate;
mod images;
mod metadata;
mod mutants;
mod programs;
mod scan;
mod test;
mod tidy;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Checks and generators of the Reeve workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Checks that every dependency between crates is an allowed one, and that no modules import each other in a circle.
    Boundaries,
    /// Checks the small rules of the house: sizes, names, forbidden words, bootstrap exceptions.
    Tidy,
    /// Writes the generated files; with --check only says which would change.
    Gen {
        /// Change nothing; fail when a committed file differs from what would be generated.
        #[arg(long)]
        check: bool,
    },
    /// Builds the container images of server, operator and webhook into target/images.
    Images(images::Images),
    /// Scans the charts, as Helm renders them with the values in testbed/scan/values.
    Scan(scan::Scan),
    /// Runs every test of the workspace.
    Test,
    /// Plants the faults of `hack/mutants-control-plane.yaml` and fails unless a test turns red for each of them.
    Mutants {
        /// Only these faults.
        only: Vec<String>,
    },
}

/// The root of the checkout.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Boundaries => boundaries::check(&root()),
        Task::Tidy => tidy::check(&root()),
        Task::Images(images) => images::run(&root(), &images),
        Task::Scan(scan) => scan::run(&root(), &scan),
        Task::Gen { check } => generate::run(&root(), check),
        Task::Test => test::run(&root()),
        Task::Mutants { only } => mutants::run(&root(), &only),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// One line for the person at the terminal.
fn say(line: &str) {
    use std::io::Write;
    // A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
