//! The program `reeve`, as one person runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, ensure};
use reeve_testkit::output_with_input;

/// Runs `reeve` with one folder of settings. It never reads `KUBECONFIG`, nor asks the keyring of whoever runs it.
#[derive(Debug, Clone)]
pub struct CommandLine {
    program: PathBuf,
    settings: PathBuf,
}

impl CommandLine {
    /// The program and the folder of settings to use.
    pub fn new(program: &Path, settings: &Path) -> Self {
        Self {
            program: program.to_owned(),
            settings: settings.to_owned(),
        }
    }

    /// The command so far, for those who run it in the background.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("REEVE_CONFIG_DIR", &self.settings)
            .env("REEVE_TOKEN_STORE", "file")
            .env_remove("KUBECONFIG");
        command
    }

    /// Runs it to its end, whatever that is, with a text on standard input.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = self.command();
        command.args(arguments);
        output_with_input(command, input)
    }

    /// Runs it and answers what it printed.
    ///
    /// # Errors
    /// It does not succeed; the error shows what it complained of.
    pub fn must(&self, arguments: &[&str]) -> Result<String> {
        self.must_with_input(arguments, "")
    }

    /// Signs a local user in and answers what was printed. The password goes through standard input.
    ///
    /// # Errors
    /// As [`CommandLine::must`].
    pub fn sign_in(&self, url: &str, ca_file: &Path, username: &str, password: &str) -> Result<String> {
        let ca_file = ca_file.display().to_string();
        let control_plane = ["login", "user", "--url", url, "--ca-file", &ca_file];
        let person = ["-u", username, "--password-stdin"];
        self.must_with_input(&[&control_plane[..], &person].concat(), password)
    }

    fn must_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.run(arguments, input)?;
        ensure!(
            output.status.success(),
            "`reeve {}` ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
