//! Events that sum up failed attempts: which they are, and how old ones go out of the chain without breaking it.
//!
//! What is pruned is named by an event in the same chain: each run of events by its first, its last, and the hash that the
//! first carried. A gap that no such event names is a missing event to whoever verifies the chain. Pruning begins after the
//! naming event was appended, so the end of the chain is never pruned; nor is what was its end before, nor anything from the
//! event on that is known outside of the database: the fence names it, or will name a later one.

use std::collections::BTreeMap;

use reeve_store::{AuditEntry, PRUNED, StoreError};
use reeve_types::Timestamp;

use crate::driver::{StoreResultExt, Tx};
use crate::events::append;

pub(crate) const PRUNE: &str = "prune the audit log";
const NOTE: &str = "write the audit event";

/// Notes that the event just appended sums up failed attempts.
pub(crate) async fn note(tx: &mut Tx, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO audit_attempts (sequence, at) SELECT value, $1 FROM counters WHERE name = 'audit'",
        &[at.into()],
    )
    .await
    .context(NOTE)?;
    Ok(())
}

/// Some events that follow each other.
struct Run {
    first: i64,
    last: i64,
    previous: String,
}

/// Removes at most `limit` events that are older than `before` and come before event `end`, and says so in the chain; how many.
pub(crate) async fn prune(
    tx: &mut Tx,
    before: Timestamp,
    end: i64,
    limit: i64,
    mut entry: AuditEntry,
) -> Result<usize, StoreError> {
    let old = tx
        .rows(
            "SELECT a.sequence AS sequence, e.previous AS previous
             FROM audit_attempts a JOIN audit_events e ON e.sequence = a.sequence
             WHERE a.at < $1 AND a.sequence < $2 AND a.sequence < (SELECT value FROM counters WHERE name = 'audit')
             ORDER BY a.sequence LIMIT $3",
            &[before.into(), end.into(), limit.into()],
        )
        .await
        .context(PRUNE)?;
    if old.is_empty() {
        return Ok(0);
    }
    let mut runs: Vec<Run> = Vec::new();
    for row in &old {
        let sequence = row.int("sequence")?;
        match runs.last_mut() {
            Some(run) if run.last + 1 == sequence => run.last = sequence,
            _ => runs.push(Run {
                first: sequence,
                last: sequence,
                previous: row.text("previous")?,
            }),
        }
    }
    let named: Vec<_> = runs
        .iter()
        .map(|run| format!("{}-{}:{}", run.first, run.last, run.previous))
        .collect();
    entry.metadata.insert(PRUNED.to_owned(), named.join(","));
    append(tx, &entry).await?;
    tx.execute(
        "INSERT INTO audit_prunings (sequence) SELECT value FROM counters WHERE name = 'audit'",
        &[],
    )
    .await
    .context(PRUNE)?;
    for run in runs {
        for sql in [
            "DELETE FROM audit_events WHERE sequence BETWEEN $1 AND $2",
            "DELETE FROM audit_attempts WHERE sequence BETWEEN $1 AND $2",
        ] {
            tx.execute(sql, &[run.first.into(), run.last.into()])
                .await
                .context(PRUNE)?;
        }
    }
    Ok(old.len())
}

/// What the chain says was pruned, by the first event of each run.
#[derive(Debug, Default)]
pub(crate) struct Pruned(BTreeMap<i64, Gap>);

#[derive(Debug)]
struct Gap {
    last: i64,
    previous: String,
    /// The event that says so.
    by: i64,
}

impl Pruned {
    /// Whether an event was pruned.
    pub(crate) fn holds(&self, sequence: i64) -> bool {
        let run = self.0.range(..=sequence).next_back();
        run.is_some_and(|(_, gap)| sequence <= gap.last && gap.last < gap.by)
    }

    /// The last event of the run that was pruned from `first` on, when it ends before `next` and is named by an event that is
    /// still there, after it; and when what came before it is what came before the run.
    pub(crate) fn over(&mut self, first: i64, next: i64, previous: Option<String>) -> Option<i64> {
        let gap = self.0.remove(&first)?;
        let fits = gap.last >= first
            && gap.last < next
            && gap.last < gap.by
            && previous.is_none_or(|previous| previous == gap.previous);
        fits.then_some(gap.last)
    }
}

/// Reads it. The events are verified with all others by whoever walks the chain.
pub(crate) async fn pruned(tx: &mut Tx) -> Result<Pruned, StoreError> {
    let said = tx
        .rows(
            "SELECT e.sequence AS sequence, e.body AS body
             FROM audit_prunings p JOIN audit_events e ON e.sequence = p.sequence ORDER BY e.sequence",
            &[],
        )
        .await
        .context(PRUNE)?;
    let mut gaps = BTreeMap::new();
    for row in said {
        let by = row.int("sequence")?;
        let entry: AuditEntry = row.json("body")?;
        let named = entry.metadata.get(PRUNED).map(String::as_str).unwrap_or_default();
        for run in named.split(',') {
            let (first, gap) = read(run, by).ok_or_else(|| StoreError::Corrupt {
                what: "audit event",
                reason: format!("event {by} does not say what was pruned"),
            })?;
            gaps.insert(first, gap);
        }
    }
    Ok(Pruned(gaps))
}

fn read(run: &str, by: i64) -> Option<(i64, Gap)> {
    let (range, previous) = run.split_once(':')?;
    let (first, last) = range.split_once('-')?;
    let gap = Gap {
        last: last.parse().ok()?,
        previous: previous.to_owned(),
        by,
    };
    Some((first.parse().ok()?, gap))
}
