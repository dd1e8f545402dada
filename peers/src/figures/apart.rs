//! Loading an engine in a process of its own, within bounds: what takes more time or memory than these is left out, and says so.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::peers::Kind;
use super::weight::{Weight, now, resident_bytes_of};

/// How long loading may take, and how much memory the process may have meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Until it is stopped.
    pub time: Duration,
    /// In bytes.
    pub memory: u64,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loaded {
    /// It can be asked.
    Within(Weight),
    /// It was stopped when it had taken so long, and had so many bytes.
    Beyond(Duration, u64),
}

/// How often a process that loads is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Loads so many rules into an engine: this program does it anew.
///
/// # Errors
/// It cannot be loaded, or the process not be started.
pub fn apart(kind: Kind, rules: u32, bounds: Bounds) -> Result<Loaded> {
    let program = std::env::current_exe().context("where this program is")?;
    let mut child = Command::new(program)
        .args(["--weigh", kind.name(), "--rules", &rules.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .context("loading an engine apart")?;
    let began = now();
    loop {
        if let Some(status) = child.try_wait().context("waiting for an engine that loads")? {
            ensure!(status.success(), "loading {} failed", kind.name());
            return Ok(Loaded::Within(said(&mut child)?));
        }
        let (took, bytes) = (began.elapsed(), resident_bytes_of(&child.id().to_string()));
        let bytes = bytes.unwrap_or_default();
        if took > bounds.time || bytes > bounds.memory {
            child.kill().context("stopping an engine that loads")?;
            child.wait().context("stopping an engine that loads")?;
            return Ok(Loaded::Beyond(took, bytes));
        }
        std::thread::sleep(GLANCE);
    }
}

/// What the process wrote: microseconds and bytes.
fn said(child: &mut Child) -> Result<Weight> {
    let mut text = String::new();
    let output = child.stdout.as_mut().context("what loading took")?;
    output.read_to_string(&mut text).context("what loading took")?;
    let (micros, bytes) = text.trim().split_once(' ').context("what loading took")?;
    Ok(Weight {
        took: Duration::from_micros(micros.parse()?),
        bytes: bytes.parse().ok(),
    })
}
