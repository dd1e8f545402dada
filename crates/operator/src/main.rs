//! `reeve-operator`.

use std::process::ExitCode;

use clap::Parser;
use reeve_operator::args::{Args, Command};

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
