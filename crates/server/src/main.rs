//! `reeve-server`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use reeve_server::cli::Cli;

/// Gives memory back that a flood or a complete state took; glibc's keeps it (`docs/development/dependencies.md`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
