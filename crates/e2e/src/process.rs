//! Processes that end when their owner does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long a program may take to say that it is ready.
const START: Duration = Duration::from_secs(60);

/// A running program of ours. Dropping it kills it and waits for its end; when the thread that started it is gone, so is
/// the program (`setpriv --pdeathsig`), also after a SIGKILL of this process.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with its output in `log`.
    ///
    /// # Errors
    /// The program or its log cannot be opened.
    pub fn start(name: &'static str, program: &Path, arguments: &[String], log: &Path) -> Result<Self> {
        Self::start_with(name, program, arguments, &[], log)
    }

    /// The same with these variables in its environment.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start_with(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        environment: &[(&'static str, String)],
        log: &Path,
    ) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening `{}`", log.display()))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting `{}`", program.display()))?;
        Ok(Self {
            name,
            child,
            log: log.to_owned(),
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the program wrote its announcement and answers it.
    ///
    /// # Errors
    /// It ended first, or did not come up in time; the error shows the end of its log.
    pub async fn announced(&mut self, file: &Path) -> Result<Value> {
        let announced = tokio::time::timeout(START, async {
            loop {
                if let Some(value) = announcement(file) {
                    return Ok(value);
                }
                if let Some(status) = self.child.try_wait()? {
                    bail!(
                        "{} ended with {status} before it was ready:\n{}",
                        self.name,
                        self.last_lines()
                    );
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        match announced.await {
            Ok(outcome) => outcome,
            Err(_) => bail!(
                "{} was not ready within {START:?}:\n{}",
                self.name,
                self.last_lines()
            ),
        }
    }

    /// Ends it as a power failure would: no clean-up of its own.
    ///
    /// # Errors
    /// It is gone already.
    pub fn kill(mut self) -> Result<()> {
        self.child
            .kill()
            .with_context(|| format!("killing {}", self.name))?;
        self.child
            .wait()
            .map(drop)
            .with_context(|| format!("waiting for {}", self.name))
    }

    /// Asks it to end and waits; after ten seconds it is killed.
    pub async fn stop(mut self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        for _ in 0..200 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn last_lines(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(15))
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// What a program wrote into the file that its flag `--announce-file` names; `None` until all of it is there.
pub fn announcement(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
