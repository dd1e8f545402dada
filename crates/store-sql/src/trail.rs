//! What a transaction did so far of what the fence has to know.

use std::collections::BTreeMap;

use reeve_store::{AuditHead, FenceStep};

/// The counters of which the fence knows the last number.
pub(crate) const DRAWN: [&str; 3] = ["department", "project", "access_rule"];

/// What a transaction did so far of what the fence has to know.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    from: Option<AuditHead>,
    to: AuditHead,
    numbers: BTreeMap<String, i64>,
    has_given_uids: bool,
    ends_no_credential: bool,
}

impl Trail {
    /// A number was drawn.
    pub(crate) fn drew(&mut self, counter: &str, number: i64) {
        if DRAWN.contains(&counter) {
            self.numbers.insert(counter.to_owned(), number);
        }
    }

    /// A uid was given, or made free.
    pub(crate) const fn gave_uids(&mut self) {
        self.has_given_uids = true;
    }

    /// What is done ends no session, password, secret or uid.
    pub(crate) const fn ends_no_credential(&mut self) {
        self.ends_no_credential = true;
    }

    /// An event was added after another.
    pub(crate) fn appended(&mut self, before: AuditHead, event: AuditHead) {
        self.from.get_or_insert(before);
        self.to = event;
    }

    /// All of it, where it is all that has to be known.
    pub(crate) fn step(&self) -> Option<FenceStep> {
        let from = self.from.clone().filter(|_| !self.has_given_uids)?;
        Some(FenceStep {
            from,
            to: self.to.clone(),
            numbers: self.numbers.clone(),
            can_wait: self.ends_no_credential && self.numbers.is_empty(),
        })
    }
}
