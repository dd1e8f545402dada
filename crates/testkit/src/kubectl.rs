//! The real `kubectl`, as one of the cluster's users.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, bail};

use crate::process::output_with_input;

/// Runs `kubectl` with one kubeconfig. It keeps its caches beside that file and never reads `KUBECONFIG`.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    environment: Vec<(String, String)>,
}

impl Kubectl {
    /// The program and the kubeconfig to use.
    pub fn new(program: &Path, kubeconfig: &Path) -> Self {
        Self {
            program: program.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
            environment: Vec::new(),
        }
    }

    /// Sets a variable for `kubectl` and the credential plugins it runs.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.run_with_input(arguments, "")
    }

    /// Runs it with a text on standard input, as for `apply -f -`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = self.command();
        command.args(arguments);
        output_with_input(command, input)
    }

    /// Runs it and gives back what it printed.
    ///
    /// # Errors
    ///
    /// When it does not succeed; the message holds what it complained of.
    pub fn must(&self, arguments: &[&str]) -> Result<String> {
        self.must_with_input(arguments, "")
    }

    /// As [`Kubectl::must`], with a text on standard input.
    ///
    /// # Errors
    ///
    /// When it does not succeed; the message holds what it complained of.
    pub fn must_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.run_with_input(arguments, input)?;
        if !output.status.success() {
            bail!(
                "kubectl {} ended with {}: {}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The command so far, for those who run it in the background.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("KUBECONFIG", &self.kubeconfig);
        if let Some(folder) = self.kubeconfig.parent() {
            command.env("KUBECACHEDIR", folder.join("kubectl-cache"));
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
