//! The commands that install the operator of a cluster: what its chart has to be told, and nothing that a shell could take for
//! something else.

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_types::kubernetes::SYSTEM_NAMESPACE;
use reeve_types::{ClusterId, Secret};

use crate::error::{ApiError, Refusal};

/// The namespaces, as they stand beside the chart.
const NAMESPACES: &str = include_str!("../../../charts/reeve-cluster/namespace.yaml");
/// The Secret that the chart is told to read.
pub const SECRET_NAME: &str = "reeve-control-plane";
/// What the repository is called in the commands.
const REPOSITORY_NAME: &str = "reeve";
/// Where the chart is in the sources.
const CHART_IN_SOURCES: &str = "charts/reeve-cluster";
/// The longest version of a chart, in bytes.
const VERSION_LIMIT: usize = 64;

/// Where charts and images are, as the server was told.
#[derive(Debug, Clone, Default)]
pub struct Charts {
    /// A repository of charts, `https://…` or `oci://…`; the chart of the sources without.
    pub repository: Option<String>,
    /// The registry to which the images were pushed; the commands ask for it without.
    pub image_registry: Option<String>,
    /// A file with the authority of the control plane's certificate, PEM.
    pub ca_file: Option<PathBuf>,
}

impl Charts {
    /// The authority of the control plane's certificate as it is now.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the file cannot be read.
    pub async fn authority(&self) -> Result<Option<String>, ApiError> {
        match &self.ca_file {
            Some(file) => {
                let read = tokio::fs::read_to_string(file).await;
                read.map(Some).map_err(ApiError::internal)
            }
            None => Ok(None),
        }
    }

    /// What the repository is called.
    pub const fn repository_name(&self) -> &'static str {
        REPOSITORY_NAME
    }
}

/// An address of a repository of charts.
///
/// # Errors
/// A sentence.
pub fn chart_repository(text: &str) -> Result<String, String> {
    let rest = ["https://", "oci://"]
        .into_iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) if is_plain(rest) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(
            "the address of a repository of charts is needed, `https://…` or `oci://…`, without spaces, user or query".to_owned(),
        ),
    }
}

/// A registry of images, with a path where there is one.
///
/// # Errors
/// A sentence.
pub fn image_registry(text: &str) -> Result<String, String> {
    if is_plain(text) {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("a registry is needed, as in `registry.example.org/reeve`".to_owned())
    }
}

/// Whether nothing in it means something to a shell, or to Helm in a value.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte))
}

/// No version of the chart, or none that may stand in a command: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parameter `version`: the version of the chart `reeve-cluster` is needed, like `0.1.0`")]
pub struct InvalidChartVersion;

impl Refusal for InvalidChartVersion {}

/// A version of the chart; empty is this server's own.
///
/// # Errors
/// [`InvalidChartVersion`].
pub fn chart_version(text: &str) -> Result<&str, InvalidChartVersion> {
    if text.is_empty() {
        return Ok(env!("CARGO_PKG_VERSION"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins && text.len() <= VERSION_LIMIT && text.bytes().all(is_plain) {
        Ok(text)
    } else {
        Err(InvalidChartVersion)
    }
}

/// What is installed.
#[derive(Debug)]
pub struct Installation<'a> {
    /// Where charts and images are.
    pub charts: &'a Charts,
    /// The control plane's public address.
    pub control_plane: &'a str,
    /// The authority of its certificate, PEM.
    pub authority: Option<String>,
    /// Which cluster.
    pub cluster: ClusterId,
    /// Its link secret.
    pub secret: &'a Secret,
    /// The version of the chart.
    pub version: &'a str,
    /// Where people reach the cluster's API server.
    pub reached_at: Option<&'a str>,
}

impl Installation<'_> {
    /// The commands, for a shell: namespaces and a Secret by standard input, so that the secret is in no list of processes and in no
    /// values of Helm, and the chart.
    pub fn commands(&self) -> String {
        let mut text = format!(
            "kubectl apply --server-side -f - <<'END'\n{}{}END\n",
            NAMESPACES,
            self.secret_manifest()
        );
        let (chart, version) = match &self.charts.repository {
            None => (CHART_IN_SOURCES.to_owned(), false),
            Some(repository) if repository.starts_with("oci://") => {
                (format!("{repository}/reeve-cluster"), true)
            }
            Some(repository) => {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "helm repo add {REPOSITORY_NAME} {repository} --force-update"
                );
                (format!("{REPOSITORY_NAME}/reeve-cluster"), true)
            }
        };
        let _ = write!(
            text,
            "helm upgrade --install reeve {chart} --namespace {SYSTEM_NAMESPACE}"
        );
        if version {
            let _ = write!(text, " --version {}", self.version);
        }
        for (key, value) in self.values() {
            let _ = write!(text, " \\\n  --set {key}={value}");
        }
        text.push('\n');
        text
    }

    /// The values of the chart.
    fn values(&self) -> Vec<(&'static str, String)> {
        let registry = self.charts.image_registry.clone().unwrap_or_else(|| {
            "\"${REGISTRY:?set it to the registry that you pushed the images to}\"".to_owned()
        });
        let mut all = vec![
            ("global.image.registry", registry),
            ("controlPlane.url", self.control_plane.to_owned()),
            ("controlPlane.existingSecret", SECRET_NAME.to_owned()),
        ];
        if self.authority.is_some() {
            all.push(("controlPlane.ca.existingSecret", SECRET_NAME.to_owned()));
        }
        all.push(("cluster.uid", self.cluster.to_string()));
        if let Some(server) = self.reached_at {
            all.push(("apiServer.url", format!("'{server}'")));
        }
        all
    }

    fn secret_manifest(&self) -> String {
        let secret = STANDARD.encode(self.secret.expose());
        let mut text = format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {SECRET_NAME}\n  namespace: {SYSTEM_NAMESPACE}\ndata:\n  \
             clientSecret: {secret}\n"
        );
        if let Some(authority) = &self.authority {
            let _ = writeln!(text, "  ca.crt: {}", STANDARD.encode(authority));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "123e4567-e89b-12d3-a456-426614174000";

    fn commands(charts: &Charts, reached_at: Option<&str>) -> String {
        let installation = Installation {
            charts,
            control_plane: "https://reeve.example:8443",
            authority: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
            cluster: ID.parse().unwrap(),
            secret: &Secret::new("hunter2"),
            version: "0.1.0",
            reached_at,
        };
        installation.commands()
    }

    #[test]
    fn the_commands_are_whole() {
        insta::assert_snapshot!(commands(&Charts::default(), Some("https://k8s.example:6443")));
    }

    #[test]
    fn a_repository_and_a_registry_stand_in_the_commands() {
        let charts = |repository: &str| Charts {
            repository: Some(repository.to_owned()),
            image_registry: Some("registry.example.org/reeve".to_owned()),
            ca_file: None,
        };
        let text = commands(&charts("oci://registry.example.org/charts"), None);
        assert!(
            text.contains("--install reeve oci://registry.example.org/charts/reeve-cluster --namespace reeve-system --version 0.1.0"),
            "{text}"
        );
        assert!(
            text.contains("--set global.image.registry=registry.example.org/reeve"),
            "{text}"
        );
        let text = commands(&charts("https://charts.example.org"), None);
        assert!(
            text.contains("helm repo add reeve https://charts.example.org --force-update\n"),
            "{text}"
        );
        assert!(text.contains("--install reeve reeve/reeve-cluster"), "{text}");
    }

    #[test]
    fn what_a_shell_could_understand_is_refused() {
        for bad in ["-x", "0.1.0 ", "0.1;id", "$(id)", &"1".repeat(65)] {
            assert!(chart_version(bad).is_err(), "{bad}");
        }
        assert_eq!(chart_version("0.1.0-rc.1+2").unwrap(), "0.1.0-rc.1+2");
        assert_eq!(chart_version("").unwrap(), env!("CARGO_PKG_VERSION"));
        for bad in [
            "charts",
            "http://a",
            "https://",
            "https://a b",
            "https://a;id",
            "oci://a'b",
            "https://a,b=c",
        ] {
            assert!(chart_repository(bad).is_err(), "{bad}");
        }
        assert_eq!(chart_repository("https://a/b/").unwrap(), "https://a/b");
        for bad in ["", "a b", "a,b=c", "$X", "a'b"] {
            assert!(image_registry(bad).is_err(), "{bad}");
        }
    }
}
