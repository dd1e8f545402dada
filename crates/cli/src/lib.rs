//! The command line `reeve`.
//!
//! **Purpose.** Everything a researcher does from a terminal: sign in, submit, look, step into what runs, delete, and hand
//! kubectl a kubeconfig.
//!
//! **Guarantees.** A password is never an argument; it is read from a terminal without echo or from standard input. What
//! is kept lies in one folder (`~/.reeve`, or `REEVE_CONFIG_DIR`), readable by its owner alone, and is written whole or
//! not at all; the tokens lie in the keyring of the desktop where there is one (`settings`). Exit codes: 0 done; 1 refused, or not found; 2 wrong usage, or a failure; a command that ran in a container
//! passes its own exit code on. A refusal shows what was tried,
//! the server's reason, and what to do.
//!
//! **Limits.** It decides nothing: the server does.

pub mod adopt;
pub mod args;
mod by_kubeconfig;
pub mod channels;
pub mod commands;
pub mod failure;
pub mod http;
pub mod kubeconfig;
pub mod kubernetes;
mod parse;
pub mod printer;
mod random;
pub mod reference;
pub mod settings;
pub mod terminal;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::FromArgMatches;
use reeve_types::Clock;

use args::Cli;
use failure::Failure;
use printer::Printer;
use settings::Settings;

/// What every command works with.
pub struct Context {
    /// What is kept between commands.
    pub settings: Settings,
    /// Where answers go.
    pub printer: Printer,
    /// The time.
    pub clock: Clock,
    /// Whether answers go to a terminal.
    pub to_terminal: bool,
}

/// Runs one command.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = parse::command(&arguments);
    let parsed = command
        .clone()
        .try_get_matches_from(&arguments)
        .and_then(|matches| {
            parse::must_be_of_one_scope(&command, &matches)?;
            Cli::from_arg_matches(&matches)
        });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return parse::refused(&command, &arguments, error),
    };
    // Only fails when a provider is there already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = write!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start").because(error))?;
    let mut context = Context {
        settings: Settings::at(cli.config_dir)?,
        printer: Printer::new(cli.output, Box::new(std::io::stdout())),
        clock: Clock::system(),
        to_terminal: std::io::stdout().is_terminal(),
    };
    runtime.block_on(commands::run(&mut context, cli.command))
}
