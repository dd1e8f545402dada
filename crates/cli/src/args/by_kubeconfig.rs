//! Arguments of the commands that ask a cluster by the person's own kubeconfig.

use std::path::PathBuf;

use clap::Args;

/// Which cluster, and as whom.
#[derive(Debug, Args)]
pub struct ByKubeconfig {
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
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    if (1..=63).contains(&text.len()) && text.bytes().all(inner) && ends {
        return Ok(text.to_owned());
    }
    Err("1 to 63 lower-case letters, digits and hyphens are needed, no hyphen at either end".to_owned())
}

/// The name of an object (RFC 1123 subdomain): labels with dots between them.
pub(super) fn object_name(text: &str) -> Result<String, String> {
    if text.len() <= 253 && text.split('.').all(|label| namespace(label).is_ok()) {
        return Ok(text.to_owned());
    }
    Err("lower-case letters, digits, hyphens and dots are needed, as in `chat` or `tiny-1.0`".to_owned())
}
