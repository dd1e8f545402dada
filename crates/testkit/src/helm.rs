//! The real `helm`, offline or as one of a cluster's users.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

use crate::process::output_with_input;
use crate::testbed::build;

/// Runs `helm` on the charts of this checkout. It keeps its caches in a temporary folder, has no repositories, and never reads
/// `KUBECONFIG`.
#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    kubeconfig: Option<PathBuf>,
}

impl Helm {
    /// For `lint` and `template`, which need no cluster. Builds `helm` on first use, which takes a minute.
    ///
    /// # Errors
    /// When it cannot be built; see [`crate::skip`] for what a test does then.
    pub fn offline() -> Result<Self> {
        static TOOLS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let tools = TOOLS
            .get_or_init(|| build("tools").map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(|error| anyhow!(error))?;
        Ok(Self {
            program: tools.join("helm"),
            kubeconfig: None,
        })
    }

    /// As the user of this kubeconfig.
    ///
    /// # Errors
    /// As [`Helm::offline`].
    pub fn with_kubeconfig(kubeconfig: &Path) -> Result<Self> {
        Ok(Self {
            kubeconfig: Some(kubeconfig.to_owned()),
            ..Self::offline()?
        })
    }

    /// Runs it to its end, whatever that is, with a text on standard input, as for `--values -`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let caches = tempfile::tempdir().context("cannot make a folder")?;
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null());
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(name, caches.path());
        }
        match &self.kubeconfig {
            Some(file) => command.env("KUBECONFIG", file),
            None => command.env_remove("KUBECONFIG"),
        };
        output_with_input(command, input)
    }

    /// Runs it and gives back what it printed.
    ///
    /// # Errors
    /// When it does not succeed; the message holds what it complained of.
    pub fn must(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.run(arguments, input)?;
        if !output.status.success() {
            bail!(
                "helm {} ended with {}: {}{}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it where it has to fail, and gives back what it complained of.
    ///
    /// # Errors
    /// When it succeeds.
    pub fn must_fail(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.run(arguments, input)?;
        if output.status.success() {
            bail!("helm {} succeeded: it should not", arguments.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The folder `charts/` of this checkout.
pub fn charts() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).join("charts")
}

/// What the chart sets in the server's environment, beside the database: few arenas, and what is large is given back at once.
pub const SERVER_ENVIRONMENT: [(&str, &str); 2] =
    [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "1048576")];

/// What the chart sets in the operator's environment, beside the name of its pod.
pub const OPERATOR_ENVIRONMENT: [(&str, &str); 1] = [("MIMALLOC_PURGE_DELAY", "0")];
