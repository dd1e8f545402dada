//! `reeve-operator`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use reeve_operator::args::{Args, Command};

/// Gives memory back that a flood or a complete state took; glibc's keeps it (`docs/development/dependencies.md`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run(arguments) = Args::parse().command;
    reeve_operator::telemetry::start(&arguments.log, arguments.log_format);
    match reeve_operator::run::run(*arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the operator stopped");
            ExitCode::from(2)
        }
    }
}
