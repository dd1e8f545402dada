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

/// What enforces the admission rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Admission {
    /// Policies of the API server, from Kubernetes 1.36 on.
    Policies,
    /// The webhook `reeve-webhook`, for Kubernetes 1.30 to 1.35.
    Webhook,
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
    /// Certificate chain in PEM for that listener, read again when it changes; without it one is made at every start.
    #[arg(long, requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM.
    #[arg(long, requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Show metrics only to who has a token of the cluster that may `get` the path /metrics. Needs the right to create
    /// TokenReviews and SubjectAccessReviews, as `system:auth-delegator` gives it.
    #[arg(long)]
    pub authorize_metrics: bool,
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
    /// What enforces the admission rules in this cluster: the alarm is about that.
    #[arg(long, value_enum, default_value = "policies")]
    pub admission: Admission,
    /// Namespaces whose labelled Secrets are copied into projects, separated by commas. The operator needs the right to list Secrets
    /// there; each bears the label `reeve.dev/secret-source`, and nothing else lies in it.
    #[arg(long, value_delimiter = ',', default_value = reeve_types::kubernetes::SECRETS_NAMESPACE)]
    pub secret_namespaces: Vec<String>,
    /// Wait for the lease `reeve-operator` in `reeve-system` and stop when it is lost. Needed with more than one replica.
    #[arg(long)]
    pub leader_elect: bool,
    /// What this replica is called in the lease; no other may be called so. In a pod: the pod's name. Without it a name is made
    /// up.
    #[arg(long, requires = "leader_elect")]
    pub lease_holder: Option<String>,
    /// What is logged, as `level` or `target=level,…`.
    #[arg(long, env = "REEVE_LOG", default_value = "info")]
    pub log: String,
    /// How it is logged.
    #[arg(long, value_enum, default_value = "json")]
    pub log_format: LogFormat,
}
