//! The command line of `reeve-server`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use reeve_types::{ClusterId, Email};

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
}

/// Flags of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where everything is kept: database, keys, certificates. Made when it does not exist.
    #[arg(long, env = "REEVE_DATA_DIR")]
    pub data_dir: PathBuf,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "REEVE_LISTEN", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// How people, operators and API servers reach this server; the listening address by default.
    #[arg(long, env = "REEVE_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Certificate chain in PEM, read again when it changes; without it a certificate authority of our own is made in the
    /// data directory.
    #[arg(long, requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// What clients and API servers are to trust, in PEM; the last certificate of the chain by default.
    #[arg(long, requires = "tls_certificate")]
    pub tls_ca: Option<PathBuf>,
    /// The break-glass administrator that the first start makes.
    #[arg(long, default_value = "admin@reeve.example")]
    pub admin_username: Email,
    /// A file with the administrator's first password; without it one is made and printed once.
    #[arg(long)]
    pub admin_password_file: Option<PathBuf>,
    /// A file that gets `{"url","caFile","adminUsername"}` once requests are answered.
    #[arg(long)]
    pub announce_file: Option<PathBuf>,
    /// The form of the log, on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What a project's namespace is called: this and the project's name.
    #[arg(long, default_value = "reeve-")]
    pub namespace_prefix: String,
    /// For how many days the audit log keeps records of failed sign-ins and refused changes; 0 keeps them for ever. What is
    /// pruned is recorded.
    #[arg(long, env = "REEVE_FAILED_ATTEMPTS_DAYS", default_value_t = 90)]
    pub failed_attempts_days: u32,
}

/// Forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Flags of `authentication-config`.
#[derive(Debug, Args)]
struct AuthenticationConfig {
    /// The data directory of the server.
    #[arg(long, env = "REEVE_DATA_DIR")]
    data_dir: PathBuf,
    /// The cluster's id.
    #[arg(long)]
    cluster: ClusterId,
}

impl Cli {
    /// Does what was asked; 2 when it failed.
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve(flags) => crate::serve::run(*flags),
            Command::AuthenticationConfig(flags) => authentication_config(&flags),
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
    let text = crate::start::authentication_config(&flags.data_dir, flags.cluster)?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("failed to print the configuration")
}
