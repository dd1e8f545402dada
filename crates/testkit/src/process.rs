//! Our own programs as child processes.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The path of one of our binaries, built beside the test that asks.
///
/// # Errors
///
/// When it has not been built; the message names the command that does.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    // target/debug/deps/it-0123 for a test, target/debug/name for a program.
    for folder in own.ancestors().skip(1).take(2) {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!(
        "no program `{name}` beside `{}`: build it with `cargo build --workspace`",
        own.display()
    )
}

/// Runs a program to its end, whatever that is, with a text on standard input.
///
/// # Errors
///
/// When it cannot be started.
pub fn output_with_input(mut command: Command, input: &str) -> Result<Output> {
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that refuses its arguments reads nothing; its own message says more than our broken pipe.
        let _ = stdin.write_all(input.as_bytes());
    }
    child
        .wait_with_output()
        .with_context(|| format!("cannot read what `{}` said", program.display()))
}

/// A child process that does not outlive this value.
///
/// It does outlive a test process that is killed: nothing runs then. Programs that should not must watch their
/// standard input, as the testbed does.
#[derive(Debug)]
pub struct KillOnDrop(pub Child);

impl KillOnDrop {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL, and waits for the end.
    pub fn kill_now(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// SIGTERM; SIGKILL after 10 seconds. Says whether it ended by itself in time.
    pub fn stop(&mut self) -> bool {
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        for _ in 0..200 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill_now();
        false
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.kill_now();
    }
}
