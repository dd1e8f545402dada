//! A cluster's API server, as whom the person's own kubeconfig says: for commands that need no control plane.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::args::ByKubeconfig;
use crate::failure::{CauseOf, Failure};
use crate::kubeconfig::default_file;

/// A client. `patience` bounds how long an answer may be silent; without it a stream may be for ever.
///
/// # Errors
/// There is no kubeconfig, or it names nothing that can be used.
pub(crate) async fn client(
    cluster: &ByKubeconfig,
    patience: Option<Duration>,
    what: &str,
    hint: &str,
) -> Result<Client, Failure> {
    let failed = |cause: String| Failure::failed(what).cause(cause).hint(hint);
    let options = KubeConfigOptions {
        context: cluster.context.clone(),
        ..KubeConfigOptions::default()
    };
    let kubeconfig = kubeconfig(cluster).map_err(&failed)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| failed(error.to_string()))?;
    config.read_timeout = patience;
    Client::try_from(config).map_err(|error| Failure::failed(what).because(CauseOf(error)).hint(hint))
}

/// The file that was given, or those that kubectl would take together.
fn kubeconfig(cluster: &ByKubeconfig) -> Result<Kubeconfig, String> {
    let list = cluster.kubeconfig_list.as_deref();
    let files: Vec<PathBuf> = match (&cluster.kubeconfig, list) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(list)) if !list.is_empty() => {
            std::env::split_paths(list).filter(|file| file.exists()).collect()
        }
        (None, _) => default_file(None, Path::exists).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    for file in files {
        // The parser's own text shows lines of the file, in which there may be a token.
        let unreadable = |_| format!("`{}` cannot be read as a kubeconfig", file.display());
        let next = Kubeconfig::read_from(&file).map_err(unreadable)?;
        merged = Some(match merged {
            None => next,
            Some(before) => before.merge(next).map_err(|error| error.to_string())?,
        });
    }
    merged.ok_or_else(|| "there is no kubeconfig".to_owned())
}
