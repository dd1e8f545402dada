//! The command line `reeve`.

use std::process::ExitCode;

fn main() -> ExitCode {
    reeve_cli::main(std::env::args_os())
}
