//! Arguments of `reeve cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reeve_types::{ClusterId, LowestId, Uid};

/// `reeve cluster`
#[derive(Debug, Subcommand)]
pub enum Cluster {
    /// Give the cluster's operator a new link secret; the old one is worth nothing at once
    NewSecret(NewSecret),
    /// Set where people reach the cluster's API server
    SetEndpoint(SetEndpoint),
    /// Set the lowest uid and gid that people may have in the cluster
    SetLowestId(SetLowestId),
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
