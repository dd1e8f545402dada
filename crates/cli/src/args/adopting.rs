//! Arguments of `reeve project adopt`.

use std::path::PathBuf;

use clap::Args;
use reeve_types::OrgUnitName;

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
    /// Which kubeconfig [default: those of KUBECONFIG, or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which of its contexts [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The list of files that kubectl uses
    #[arg(long, env = "KUBECONFIG", hide = true, hide_env = true)]
    pub kubeconfig_list: Option<std::ffi::OsString>,
}

/// A DNS label (RFC 1123), as the API server wants it: nothing else may get into a path.
fn namespace(text: &str) -> Result<String, String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if (1..=63).contains(&text.len()) && text.bytes().all(inner) && ends {
        return Ok(text.to_owned());
    }
    Err("1 to 63 lower-case letters, digits and hyphens are needed, no hyphen at either end".to_owned())
}
