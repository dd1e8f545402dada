//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use reeve_types::{ClusterId, NamespacePattern};

/// Reeve's operator: mirrors what the control plane desires into one cluster and makes the cluster obey.
#[derive(Debug, Parser)]
#[command(name = "reeve-operator", version)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run until told to stop.
    Run(Box<Run>),
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Settings of a run.
#[derive(Debug, Parser)]
pub struct Run {
    /// Kubeconfig of the cluster; without it KUBECONFIG, or the pod's own ServiceAccount.
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
    /// The control plane, https://host:port. Without it the operator only enforces the custom resources it finds.
    #[arg(long, requires_all = ["cluster_id", "client_secret_file"])]
    pub server_url: Option<String>,
    /// Certificate authority of the control plane, PEM; without it the system's.
    #[arg(long)]
    pub ca_file: Option<PathBuf>,
    /// This cluster's id in the control plane.
    #[arg(long)]
    pub cluster_id: Option<ClusterId>,
    /// A file that holds this cluster's secret, as the creation of the cluster answered it.
    #[arg(long)]
    pub client_secret_file: Option<PathBuf>,
    /// Where /healthz, /readyz and /metrics are served over HTTPS.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Gets `{"url","certificate"}` of that listener when it serves.
    #[arg(long)]
    pub announce_file: Option<PathBuf>,
    /// How people reach this cluster's API server, https://host:port: told to the control plane for their kubeconfigs.
    #[arg(long)]
    pub advertise_api_server: Option<String>,
    /// Certificate authority of that address, PEM.
    #[arg(long, requires = "advertise_api_server")]
    pub advertise_api_server_ca: Option<PathBuf>,
    /// Namespaces that are made for no project, whatever the control plane says: names, and beginnings of names with `*`,
    /// separated by commas. One that an installer adopted is a project's all the same.
    #[arg(long, value_delimiter = ',', default_values_t = NamespacePattern::usual())]
    pub reserved_namespaces: Vec<NamespacePattern>,
    /// Wait for the lease `reeve-operator` in `reeve-system` and stop when it is lost. Needed with more than one replica.
    #[arg(long)]
    pub leader_elect: bool,
    /// What is logged, as `level` or `target=level,…`.
    #[arg(long, env = "REEVE_LOG", default_value = "info")]
    pub log: String,
    /// How it is logged.
    #[arg(long, value_enum, default_value = "json")]
    pub log_format: LogFormat,
}
