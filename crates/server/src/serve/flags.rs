//! The flags of `reeve-server serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use reeve_types::{Email, NamespacePattern};

use crate::connections::Bounds;
use crate::database_flags::Database;
use crate::installation::{chart_repository, image_registry};
use crate::logging::{self, LogFormat};
use crate::metrics_listener::MetricsFlags;
use crate::public_url::PublicUrl;

/// Flags of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where everything is kept: database, keys, certificates. Made when it does not exist.
    #[arg(long, env = "REEVE_DATA_DIR")]
    pub data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) database: Database,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "REEVE_LISTEN", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// How people, operators and API servers reach this server, `https://host[:port]`; the listening address by default. It is
    /// the beginning of the issuer in every token: whoever changes it tells every API server.
    #[arg(long, env = "REEVE_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
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
    #[command(flatten)]
    pub(crate) metrics: MetricsFlags,
    /// The break-glass administrator that the first start makes.
    #[arg(long, default_value = "admin@reeve.example")]
    pub admin_username: Email,
    /// A file with the administrator's first password; without it one is made and printed once.
    #[arg(long)]
    pub admin_password_file: Option<PathBuf>,
    /// The administrator has to choose another password at the first sign-in. Without it the first one stays: it is that for emergencies.
    #[arg(long)]
    pub admin_password_temporary: bool,
    /// A file that gets `{"url","caFile","adminUsername"}` once requests are answered, and `metricsUrl` where metrics are.
    #[arg(long)]
    pub announce_file: Option<PathBuf>,
    /// What goes into the log: a level, or directives as `info,reeve_server::link=debug`.
    #[arg(long, env = "REEVE_LOG", default_value = "info,sqlx=warn", value_parser = logging::filter)]
    pub log: String,
    /// The form of the log, on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What a project's namespace is called: this and the project's name.
    #[arg(long, default_value = "reeve-")]
    pub namespace_prefix: String,
    /// Namespaces that no project takes: names, and beginnings of names with `*`, separated by commas. Those of the cluster
    /// itself (kube-*, default, reeve-system) never are a project's, whatever this says.
    #[arg(long, value_delimiter = ',', default_values_t = NamespacePattern::usual())]
    pub reserved_namespaces: Vec<NamespacePattern>,
    /// How many workloads a project may have, ended ones that were not deleted included.
    #[arg(long, env = "REEVE_WORKLOADS_PER_PROJECT", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub workloads_per_project: u32,
    /// For how many days the audit log keeps records of failed sign-ins and refused changes; 0 keeps them for ever. What is
    /// pruned is recorded.
    #[arg(long, env = "REEVE_FAILED_ATTEMPTS_DAYS", default_value_t = 90)]
    pub failed_attempts_days: u32,
    /// For how many hours somebody stays signed in at most; no token lives longer. Whoever is signed out, or loses a password or
    /// the account, is out at once, whatever this says.
    #[arg(long, env = "REEVE_SESSION_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub session_hours: u32,
    /// For how many hours a client that renews its tokens by itself, as `reeve` does, may be idle before it has to sign in again; never
    /// past the end of its session.
    #[arg(long, env = "REEVE_REFRESH_IDLE_HOURS", default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=720))]
    pub refresh_idle_hours: u32,
    /// For how many days a key signs tokens before the next one does; 0 rotates only on request
    /// (`POST /api/v1/security/signing-keys/rotate`).
    #[arg(long, env = "REEVE_SIGNING_KEY_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=3650))]
    pub signing_key_days: u32,
    /// Let System administrators of the account make roles of permission sets, and change those that were made
    /// (`/api/v2/authorization/roles`). Without it roles are the predefined ones, and those that were made before stay in force.
    #[arg(long, env = "REEVE_CUSTOM_ROLES")]
    pub custom_roles: bool,
    /// A repository of charts, `https://…` or `oci://…`, that holds `reeve-cluster`: it stands in the commands that install a
    /// cluster's operator. Without it they name the chart in the sources.
    #[arg(long, env = "REEVE_CHART_REPOSITORY", value_parser = chart_repository)]
    pub chart_repository: Option<String>,
    /// The registry that the images were pushed to, with a path where there is one: it stands in the same commands. Without it they
    /// ask for it.
    #[arg(long, env = "REEVE_IMAGE_REGISTRY", value_parser = image_registry)]
    pub image_registry: Option<String>,
    /// A certificate authority in PEM by which identity providers are trusted, beside those of the machine.
    #[arg(long, env = "REEVE_IDP_CA_FILE")]
    pub idp_ca_file: Option<PathBuf>,
    /// How many connections there may be. When there are more, those of the source that has most go first.
    #[arg(long, env = "REEVE_MAX_CONNECTIONS", default_value_t = Bounds::default().most)]
    pub max_connections: usize,
    /// How many connections one source may have: an IPv4 address, or an IPv6 /48. Behind a proxy all people are one source:
    /// give it as many as in all, and limit sources there.
    #[arg(long, env = "REEVE_MAX_CONNECTIONS_PER_SOURCE", default_value_t = Bounds::default().of_a_source)]
    pub max_connections_per_source: usize,
}

impl Serve {
    /// The bounds of connections: never more than this process may have open files for.
    pub fn bounds(&self) -> Bounds {
        let bounds = Bounds::default();
        let files = open_files().map_or(usize::MAX, |files| files.saturating_sub(FILES_OF_OUR_OWN).max(1));
        let most = self.max_connections.min(files);
        if most < self.max_connections {
            tracing::warn!(
                most,
                asked = self.max_connections,
                "the process may not open as many files as connections are allowed: raise its limit (`ulimit -n`)"
            );
        }
        Bounds {
            most,
            of_a_source: self.max_connections_per_source.min(most),
            ..bounds
        }
    }
}

/// How many files are kept for the database, certificates and the like.
const FILES_OF_OUR_OWN: usize = 100;

/// How many files the process may have open, where the system says so.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
