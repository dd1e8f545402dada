//! The command line of `reeve-server`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use reeve_types::ClusterId;

use crate::database_flags::Database;
use crate::serve::{self, Serve};
use crate::{audit_log, moving, restored, withdrawal};

/// Reeve's control plane.
#[derive(Debug, Parser)]
#[command(name = "reeve-server", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve. The first start makes the account and its administrator.
    Serve(Box<Serve>),
    /// Print the AuthenticationConfiguration with which a cluster's API server trusts this server.
    AuthenticationConfig(AuthenticationConfig),
    /// Verify or export the audit log, also while a server runs.
    #[command(subcommand)]
    Audit(audit_log::Command),
    /// After the database was restored from a backup: say which passwords and secrets count again. The server must be stopped.
    #[command(subcommand)]
    Restored(restored::Command),
    /// Show the keys, seal credentials with a new one, or withdraw a signing key that leaked. The data directory must not be served meanwhile.
    #[command(subcommand)]
    Keys(withdrawal::Command),
    /// Move the database to PostgreSQL.
    #[command(subcommand)]
    Database(moving::Command),
}

/// Flags of `authentication-config`.
#[derive(Debug, Args)]
struct AuthenticationConfig {
    /// The data directory of the server.
    #[arg(long, env = "REEVE_DATA_DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    database: Database,
    /// The cluster's id.
    #[arg(long)]
    cluster: ClusterId,
}

impl Cli {
    /// Does what was asked; 2 when it failed, 1 when the audit log is broken.
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve(flags) => serve::run(*flags),
            Command::AuthenticationConfig(flags) => authentication_config(&flags),
            Command::Audit(command) => match audit_log::run(&command) {
                Ok(true) => Ok(()),
                Ok(false) => return ExitCode::from(1),
                Err(error) => Err(error),
            },
            Command::Restored(command) => restored::run(&command),
            Command::Keys(command) => withdrawal::run(&command),
            Command::Database(command) => moving::run(&command),
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "reeve-server: {error:#}");
                ExitCode::from(2)
            }
        }
    }
}

fn authentication_config(flags: &AuthenticationConfig) -> anyhow::Result<()> {
    let text =
        crate::bootstrap::authentication_config(&flags.data_dir, flags.database.url()?, flags.cluster)?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print the configuration")
}
