//! What loading an organization takes, in time and in memory.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::generator;
use super::peers::{Casbin, CedarGrants, CedarLinks, Kind, Peer, Reeve, Regorus};

/// What it took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weight {
    /// From plain data to an engine that answers.
    pub took: Duration,
    /// What the process grew by; `None` where the system does not tell.
    pub bytes: Option<u64>,
}

#[expect(clippy::disallowed_methods, reason = "figures are read off a clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

pub(super) struct Scales {
    began: Instant,
    before: Option<u64>,
}

impl Scales {
    pub(super) fn begin() -> Self {
        Self {
            began: now(),
            before: resident_bytes(),
        }
    }

    /// What was taken until now is not the engine's.
    pub(super) fn weigh_from_here(&mut self) {
        self.before = resident_bytes();
    }

    pub(super) fn end(&self) -> Weight {
        let took = self.began.elapsed();
        let grown = self.before.zip(resident_bytes());
        Weight {
            took,
            bytes: grown.map(|(before, after)| after.saturating_sub(before)),
        }
    }
}

fn resident_bytes() -> Option<u64> {
    resident_bytes_of("self")
}

/// What of a process is in memory.
pub(super) fn resident_bytes_of(process: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// Loads so many rules into an engine, in a process that has done nothing before.
///
/// # Errors
/// It cannot be loaded.
pub fn weigh(kind: Kind, rules: u32) -> Result<Weight> {
    fn of<P: Peer>(rules: u32) -> Result<Weight> {
        let rights = generator::rights()?;
        let organization = generator::organization(&rights, rules)?;
        let (_peer, weight) = P::load(&rights, &organization)?;
        Ok(weight)
    }
    match kind {
        Kind::Reeve => of::<Reeve>(rules),
        Kind::CedarGrants => of::<CedarGrants>(rules),
        Kind::CedarLinks => of::<CedarLinks>(rules),
        Kind::Regorus => of::<Regorus>(rules),
        Kind::Casbin => of::<Casbin>(rules),
    }
}
