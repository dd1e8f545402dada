//! Arguments of `reeve cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reeve_types::ClusterId;

/// `reeve cluster`
#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Give the cluster's operator a new link secret; the old one is worth nothing at once
    NewSecret(NewSecret),
    /// Set where people reach the cluster's API server
    SetEndpoint(SetEndpoint),
}

/// `reeve cluster new-secret`
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
