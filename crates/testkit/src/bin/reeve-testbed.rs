//! Starts the testbed's Kubernetes outside of a test.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use reeve_testkit::{Testbed, Tier, write_authentication};

#[derive(Parser)]
#[command(about = "A real Kubernetes on this machine, for tests and the demo")]
struct Arguments {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start a cluster, print one JSON line when it is ready, end it when standard input closes or at a signal
    Up(Up),
    /// Build or find everything a tier needs, and start nothing
    Prepare(Prepare),
}

#[derive(Args)]
struct Prepare {
    /// How much of a Kubernetes
    #[arg(long, value_enum, default_value = "node")]
    tier: Tier,
}

#[derive(Args)]
struct Up {
    /// How much of a Kubernetes; without a real node `node` goes on as `controllers` and says why
    #[arg(long, value_enum, default_value = "apiserver")]
    tier: Tier,
    /// AuthenticationConfiguration to start with; rewrite `authenticationConfig` of the JSON line to change it
    #[arg(long)]
    authentication_config: Option<PathBuf>,
    /// Folder for everything, kept at the end [default: a temporary one, removed at the end]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Stay when standard input closes; end at a signal only
    #[arg(long)]
    detached: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "reeve-testbed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Verb::Prepare(prepare) => Testbed::prepare(prepare.tier).map(drop),
        Verb::Up(up) => {
            let mut command = Testbed::prepare(up.tier)?.command();
            let dir = match up.dir {
                Some(dir) => std::path::absolute(dir)?,
                None => {
                    command.arg("--remove-dir");
                    tempfile::Builder::new()
                        .prefix("reeve-testbed-")
                        .tempdir()?
                        .keep()
                }
            };
            if let Some(file) = up.authentication_config {
                let text =
                    fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
                command
                    .arg("--authentication-config")
                    .arg(write_authentication(&dir, &text)?);
            }
            command.arg("--dir").arg(dir);
            if up.detached {
                command.arg("--detached");
            }
            // The supervisor takes this process's place, so that whoever ends this process ends the cluster.
            Err(command.exec()).context("cannot start the testbed")
        }
    }
}
