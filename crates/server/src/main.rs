//! `reeve-server`.

use std::process::ExitCode;

use clap::Parser;
use reeve_server::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
