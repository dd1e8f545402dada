//! Arguments of `reeve cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use reeve_types::{ClusterId, ClusterName, LowestId, Switch, Uid, UnknownSwitch};

use super::{OneCluster, RenameCluster};

/// `reeve cluster`
#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// List clusters, how each stands, why, and since when
    List,
    /// Show a cluster
    Get(OneCluster),
    /// Make a cluster
    Create(CreateCluster),
    /// Give a cluster another name
    Rename(RenameCluster),
    /// Delete a cluster with its departments and projects; what runs there stays
    Delete(OneCluster),
    /// Print the commands that install a cluster's operator; they hold its link secret
    InstallInfo(InstallInfo),
    /// Give the cluster's operator a new link secret; the old one is worth nothing at once
    NewSecret(NewSecret),
    /// Take the cluster's link secret away: its operator is cut off until it is given a new one
    WithdrawSecret(NewSecret),
    /// Set where people reach the cluster's API server
    SetEndpoint(SetEndpoint),
    /// Set the lowest uid and gid that people may have in the cluster
    SetLowestId(SetLowestId),
    /// Show what the operator may do in a cluster and why, before anything is installed (also: -o yaml, -o html)
    Permissions(Permissions),
    /// Print what installers bind by hand in a project's namespace while automatic user assignment is off
    Bindings(Bindings),
}

/// Which switches are on.
#[derive(Debug, Args)]
pub struct Switched {
    /// A switch, like createNamespaces=off; again for others. All are on that nothing turns off
    #[arg(long = "switch", value_name = "NAME=on|off", value_parser = switched)]
    pub switches: Vec<(Switch, bool)>,
    /// Helm values of any era, or a saved runaiconfig or ReeveConfig, whose switches count
    #[arg(short = 'f', long, value_name = "FILE")]
    pub values: Option<PathBuf>,
}

/// `reeve cluster permissions`
#[derive(Debug, Args)]
pub struct Permissions {
    /// The switches.
    #[command(flatten)]
    pub switched: Switched,
    /// What kind of cluster it is
    #[arg(long, value_enum, default_value_t)]
    pub platform: Platform,
    /// Show what the switches take away instead
    #[arg(long)]
    pub diff: bool,
}

/// What kind of cluster it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Platform {
    /// Any.
    #[default]
    Kubernetes,
    /// OpenShift.
    Openshift,
    /// One without SecurityContextConstraints, whose namespaces all enforce Pod Security `restricted`.
    Restricted,
}

/// `reeve cluster bindings`
#[derive(Debug, Args)]
pub struct Bindings {
    /// The namespace of the project
    #[arg(value_name = "NAMESPACE")]
    pub namespace: String,
    /// The switches.
    #[command(flatten)]
    pub switched: Switched,
}

fn switched(text: &str) -> Result<(Switch, bool), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "a name and on or off are needed, like createNamespaces=off".to_owned())?;
    let switch = name.parse().map_err(|error: UnknownSwitch| error.to_string())?;
    match value {
        "on" | "true" => Ok((switch, true)),
        "off" | "false" => Ok((switch, false)),
        _ => Err(format!("`{value}` is neither on nor off")),
    }
}

/// `reeve cluster create`
#[derive(Debug, Args)]
pub struct CreateCluster {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: ClusterName,
    /// Where it can be reached from outside; kept and shown
    #[arg(long)]
    pub domain: Option<String>,
}

/// `reeve cluster install-info`
#[derive(Debug, Args)]
pub struct InstallInfo {
    /// Which cluster
    #[arg(value_name = "ID")]
    pub cluster: ClusterId,
    /// The version of the chart
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    pub chart_version: String,
    /// Where people reach the cluster's API server, like `https://k8s.example:6443`
    #[arg(long, value_name = "URL")]
    pub api_server: Option<String>,
}

/// `reeve cluster new-secret` and `withdraw-secret`
#[derive(Debug, Args)]
pub struct NewSecret {
    /// Which cluster
    #[arg(value_name = "ID")]
    pub cluster: ClusterId,
}

/// `reeve cluster set-endpoint`
#[derive(Debug, Args)]
pub struct SetEndpoint {
    /// Which cluster
    #[arg(value_name = "ID")]
    pub cluster: ClusterId,
    /// The address, like `https://k8s.example:6443`
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// Its certificate authority in PEM; absent: each machine's own authorities
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// `reeve cluster set-lowest-id`
#[derive(Debug, Args)]
pub struct SetLowestId {
    /// Which cluster
    #[arg(value_name = "ID")]
    pub cluster: ClusterId,
    /// From 1 to 1000
    #[arg(value_name = "NUMBER", value_parser = lowest_id)]
    pub lowest: LowestId,
}

fn lowest_id(text: &str) -> Result<LowestId, String> {
    let number = text.parse().map_err(|_| "a number is needed".to_owned())?;
    LowestId::new(number).map_err(|error| error.to_string())
}

/// `reeve uid`
#[derive(Debug, Subcommand)]
pub enum Uids {
    /// Let a uid that was given by mistake be given again
    Release(ReleaseUid),
}

/// `reeve uid release`
#[derive(Debug, Args)]
pub struct ReleaseUid {
    /// The number
    pub uid: Uid,
}
