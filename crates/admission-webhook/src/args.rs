//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Reeve's admission rules as a webhook, for API servers without MutatingAdmissionPolicy.
#[derive(Debug, Parser)]
#[command(name = "reeve-webhook", version)]
pub struct Args {
    /// Where it serves over HTTPS.
    #[arg(long, default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// The certificate, PEM; a new one is shown within seconds of being written.
    #[arg(long)]
    pub tls_certificate: PathBuf,
    /// The key of the certificate, PEM.
    #[arg(long)]
    pub tls_key: PathBuf,
    /// Serve /metrics as well, to who has a token of the cluster that may `get` that path. Needs the right to create TokenReviews
    /// and SubjectAccessReviews, as `system:auth-delegator` gives it.
    #[arg(long)]
    pub authorize_metrics: bool,
    /// Kubeconfig of the cluster; without it KUBECONFIG, or the pod's own ServiceAccount.
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
    /// What is logged, as `level` or `target=level,…`.
    #[arg(long, env = "REEVE_LOG", default_value = "info")]
    pub log: String,
    /// How it is logged.
    #[arg(long, value_enum, default_value = "json")]
    pub log_format: LogFormat,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Args {
    /// Logs to standard error from now on. A second call has no effect.
    pub fn start_logging(&self) {
        let filter = EnvFilter::try_new(&self.log).unwrap_or_else(|_| EnvFilter::new("info"));
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        let _ = match self.log_format {
            LogFormat::Json => log.json().flatten_event(true).try_init(),
            LogFormat::Text => log.try_init(),
        };
    }
}
