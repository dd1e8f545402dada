//! Arguments of `reeve project adopt`.

use clap::Args;
use reeve_types::OrgUnitName;

use super::by_kubeconfig::{ByKubeconfig, namespace};

/// `reeve project adopt`
#[derive(Debug, Args)]
pub struct Adopt {
    /// The namespace
    #[arg(value_parser = namespace)]
    pub namespace: String,
    /// Which project [default: the one that asks for this namespace]
    #[arg(long)]
    pub project: Option<OrgUnitName>,
    /// Only report
    #[arg(long)]
    pub dry_run: bool,
    /// Remove labels and annotations under reeve.dev/ from what is there
    #[arg(long)]
    pub drop_stamps: bool,
    /// Which cluster
    #[command(flatten)]
    pub cluster: ByKubeconfig,
}
