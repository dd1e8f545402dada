//! Failed sign-ins and refused changes, summed up in memory and recorded after their answers.
//!
//! A guess costs the same whether or not its name exists: nothing is written before the answer, and afterwards at most one
//! row for each kind and name in a minute. There is room for [`NAMES`] of each of the two kinds; what is beyond them is
//! summed in one row without a name, and so is what was tried with names that do not exist. What was not written yet when
//! the process is killed is lost: a few seconds of the first attempts of a name, at most a minute of those that follow.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_store::{AuditEntry, AuditSubject};
use reeve_types::Timestamp;

/// How many names are told apart at a time, of sign-ins and of changes each.
pub const NAMES: usize = 256;
/// A name gets at most one row in this many seconds.
const EACH_SECONDS: i64 = 60;
/// How many rows are written in one transaction: a change waits for no more than these.
const TOGETHER: usize = 64;

/// What is told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    name: String,
    app: bool,
    method: String,
    route: String,
    status: u16,
    /// What was wrong with a second factor: that somebody may have a copy of a passkey is not lost among mistakes.
    second_factor: Option<String>,
}

impl Key {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            method: entry.http_method.clone(),
            route: entry.url.clone(),
            status: entry.http_status_code,
            app: entry.subject_type == AuditSubject::App,
            name: entry.subject.clone(),
            second_factor: entry.metadata.get("second_factor").cloned(),
        }
    }

    /// What stands for all names that there is no room for.
    fn rest() -> Self {
        Self {
            method: String::new(),
            route: String::new(),
            status: 0,
            app: false,
            name: String::new(),
            second_factor: None,
        }
    }
}

/// What happened under one key since the last row.
#[derive(Debug)]
struct Sum {
    /// The last attempt; what differs between the attempts is left out of it.
    entry: AuditEntry,
    first: Timestamp,
    count: u64,
    written: Option<Timestamp>,
}

impl Sum {
    fn add(&mut self, entry: AuditEntry) {
        if self.count == 0 {
            self.first = entry.timestamp;
            self.entry = entry;
        } else {
            let before = std::mem::replace(&mut self.entry, entry);
            if before.source_ip != self.entry.source_ip {
                self.entry.source_ip = None;
            }
            if before.entity_id != self.entry.entity_id {
                self.entry.entity_id.clear();
            }
        }
        self.count = self.count.saturating_add(1);
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.written
            .is_none_or(|written| written.plus_seconds(EACH_SECONDS) <= now)
    }

    fn row(&self) -> AuditEntry {
        let mut row = self.entry.clone();
        row.metadata.insert("attempts".to_owned(), self.count.to_string());
        row.metadata.insert("first".to_owned(), self.first.to_string());
        row.metadata
            .insert("last".to_owned(), self.entry.timestamp.to_string());
        row
    }
}

/// A row to write, and what it will have been written for.
#[derive(Debug)]
pub struct Due {
    key: Key,
    kind: Kind,
    count: u64,
    /// The row.
    pub row: AuditEntry,
}

/// What kind of attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A caller that is not authenticated.
    SignIn,
    /// A caller that may not do what was asked for.
    Change,
}

/// All sums.
#[derive(Debug, Default)]
pub struct Failures(Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    sign_ins: HashMap<Key, Sum>,
    changes: HashMap<Key, Sum>,
}

impl Sums {
    const fn of(&mut self, kind: Kind) -> &mut HashMap<Key, Sum> {
        match kind {
            Kind::SignIn => &mut self.sign_ins,
            Kind::Change => &mut self.changes,
        }
    }
}

impl Failures {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a failed attempt. `entry` says who, where `subject` is a name that exists or empty, and what.
    pub fn note(&self, kind: Kind, mut entry: AuditEntry) {
        let mut sums = self.sums();
        let sums = sums.of(kind);
        let mut key = Key::of(&entry);
        if sums.len() >= NAMES && !sums.contains_key(&key) {
            key = Key::rest();
            entry.subject.clear();
            entry.entity_id.clear();
            entry.entity_name.clear();
            entry
                .metadata
                .insert("names".to_owned(), "more than are told apart".to_owned());
        }
        sums.entry(key)
            .or_insert_with(|| Sum {
                first: entry.timestamp,
                entry: entry.clone(),
                count: 0,
                written: None,
            })
            .add(entry);
    }

    /// The rows to write now, in lots; with `all` also those whose minute is not over yet.
    pub fn due(&self, now: Timestamp, all: bool) -> Vec<Vec<Due>> {
        let mut sums = self.sums();
        let mut rows = Vec::new();
        for kind in [Kind::SignIn, Kind::Change] {
            let sums = sums.of(kind);
            sums.retain(|_, sum| sum.count > 0 || !sum.is_due(now));
            let due = sums
                .iter()
                .filter(|(_, sum)| sum.count > 0 && (all || sum.is_due(now)));
            rows.extend(due.map(|(key, sum)| Due {
                key: key.clone(),
                kind,
                count: sum.count,
                row: sum.row(),
            }));
        }
        drop(sums);
        rows.sort_by(|one, other| {
            let order = |due: &Due| (due.row.timestamp, due.key.clone());
            order(one).cmp(&order(other))
        });
        let mut lots: Vec<Vec<Due>> = Vec::new();
        for due in rows {
            match lots.last_mut() {
                Some(lot) if lot.len() < TOGETHER => lot.push(due),
                _ => lots.push(vec![due]),
            }
        }
        lots
    }

    /// Says that rows were written: what came since goes into the next.
    pub fn written(&self, lot: &[Due], now: Timestamp) {
        let mut sums = self.sums();
        for due in lot {
            if let Some(sum) = sums.of(due.kind).get_mut(&due.key) {
                sum.count = sum.count.saturating_sub(due.count);
                sum.first = sum.entry.timestamp;
                sum.written = Some(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use reeve_store::{AuditAction, Outcome};

    use super::*;

    fn attempt(name: &str, at: i64) -> AuditEntry {
        AuditEntry {
            timestamp: Timestamp::from_millis(at * 1000),
            request_id: String::new(),
            subject: name.to_owned(),
            subject_type: AuditSubject::User,
            source_ip: None,
            action: AuditAction::SignIn,
            http_method: "POST".to_owned(),
            url: "/api/v1/token".to_owned(),
            entity_type: "users".to_owned(),
            entity_name: name.to_owned(),
            entity_id: name.to_owned(),
            result: Outcome::Failed,
            http_status_code: 400,
            cluster_id: None,
            metadata: BTreeMap::new(),
        }
    }

    /// What is written at this second: name and number of attempts.
    fn written(failures: &Failures, at: i64) -> Vec<(String, String)> {
        let now = Timestamp::from_millis(at * 1000);
        let mut rows = Vec::new();
        for lot in failures.due(now, false) {
            failures.written(&lot, now);
            rows.extend(
                lot.iter()
                    .map(|due| (due.row.subject.clone(), due.row.metadata["attempts"].clone())),
            );
        }
        rows.sort();
        rows
    }

    #[test]
    fn a_name_gets_one_row_a_minute_that_counts_all() {
        let failures = Failures::default();
        failures.note(Kind::SignIn, attempt("alice", 0));
        let alice = |count: &str| vec![("alice".to_owned(), count.to_owned())];
        assert_eq!(written(&failures, 1), alice("1"), "the first at once");
        for second in 2..61 {
            failures.note(Kind::SignIn, attempt("alice", second));
            assert_eq!(written(&failures, second), [], "{second}");
        }
        assert_eq!(written(&failures, 61), alice("59"));
        assert_eq!(written(&failures, 200), []);
        assert_eq!(failures.sums().sign_ins.len(), 0, "what is over is forgotten");
    }

    #[test]
    fn what_is_counted_while_a_row_is_written_goes_into_the_next() {
        let failures = Failures::default();
        failures.note(Kind::Change, attempt("alice", 0));
        let now = Timestamp::from_millis(1000);
        let lots = failures.due(now, false);
        failures.note(Kind::Change, attempt("alice", 1));
        failures.written(&lots[0], now);
        assert_eq!(written(&failures, 100), [("alice".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn names_beyond_the_bound_are_summed_in_one_row() {
        let failures = Failures::default();
        for number in 0..10_000 {
            failures.note(Kind::SignIn, attempt(&format!("u{number}"), 0));
        }
        failures.note(Kind::Change, attempt("alice", 0));
        let rows = written(&failures, 1);
        assert_eq!(rows.len(), NAMES + 2);
        assert_eq!(rows[0], (String::new(), (10_000 - NAMES).to_string()));
        assert!(
            rows.contains(&("alice".to_owned(), "1".to_owned())),
            "changes have room of their own"
        );
    }
}
