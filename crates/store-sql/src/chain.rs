//! The arithmetic of the audit log's chain: whether rows and hashes fit. No database.

use reeve_store::AuditHead;

use crate::attempts::Pruned;
use crate::audit_key::{AuditKey, plain_digest};

/// A chain in which everything fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many events were written, those that were pruned included.
    pub events: i64,
    /// The last of them that is older than the key; 0 when none is.
    pub unkeyed: i64,
    /// The last one.
    pub head: AuditHead,
}

/// The first event that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub row: i64,
    /// What is wrong.
    pub reason: String,
}

/// A row as it is in the database.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) sequence: i64,
    pub(crate) previous: String,
    pub(crate) hash: String,
    pub(crate) keyed: bool,
    pub(crate) body: String,
}

/// Walks along the chain, one row after the other.
#[derive(Debug)]
pub(crate) struct Walk<'w> {
    key: Option<&'w AuditKey>,
    heads: &'w [AuditHead],
    pruned: Pruned,
    last: AuditHead,
    /// Whether what came before the next row was pruned: then the row alone says what that was, and its own hash covers it.
    gap: bool,
    unkeyed: i64,
    keyed: bool,
}

impl<'w> Walk<'w> {
    /// From the beginning. The chain must lead through all of `heads` that were not pruned.
    pub(crate) fn new(key: Option<&'w AuditKey>, heads: &'w [AuditHead], pruned: Pruned) -> Self {
        let last = AuditHead {
            sequence: 0,
            mac: String::new(),
        };
        Self {
            key,
            heads,
            pruned,
            last,
            gap: false,
            unkeyed: 0,
            keyed: false,
        }
    }

    /// One row further.
    pub(crate) fn step(&mut self, link: Link) -> Result<(), Broken> {
        self.pass_over_pruned(&link);
        let next = self.last.sequence + 1;
        let broken = |row, reason: &str| {
            Err(Broken {
                row,
                reason: reason.to_owned(),
            })
        };
        if link.sequence != next {
            return broken(next, "it is missing");
        }
        if self.keyed && !link.keyed {
            return broken(next, "its hash has no key, and those before it have");
        }
        let previous = if self.gap { &link.previous } else { &self.last.mac };
        let hash = match (link.keyed, self.key) {
            (true, Some(key)) => key.digest(next, previous, &link.body),
            (true, None) => return broken(next, "its hash is keyed, and the key is not here"),
            (false, _) => plain_digest(next, previous, &link.body),
        };
        if link.previous != *previous || link.hash != hash {
            return broken(
                next,
                "it was changed, or the one before it: its hash does not fit",
            );
        }
        if link.keyed && !self.keyed && next > 1 && !is_switch_over(&link.body) {
            return broken(next, "the key begins here without the event that says so");
        }
        if self
            .heads
            .iter()
            .any(|head| head.sequence == next && head.mac != hash)
        {
            return broken(
                next,
                "another event of this number was there: the chain was written anew from here",
            );
        }
        self.keyed |= link.keyed;
        if !link.keyed {
            self.unkeyed = next;
        }
        self.gap = false;
        self.last = AuditHead {
            sequence: next,
            mac: hash,
        };
        Ok(())
    }

    /// Goes on behind what was pruned before a row, as far as the chain itself says so.
    fn pass_over_pruned(&mut self, link: &Link) {
        while link.sequence > self.last.sequence + 1 {
            let previous = (!self.gap).then(|| self.last.mac.clone());
            let Some(end) = self.pruned.over(self.last.sequence + 1, link.sequence, previous) else {
                return;
            };
            self.last = AuditHead {
                sequence: end,
                mac: String::new(),
            };
            self.gap = true;
        }
    }

    /// At the end, where `counted` events are to be.
    pub(crate) fn end(self, counted: i64) -> Result<Verified, Broken> {
        let end = self.last.sequence;
        let furthest = self
            .heads
            .iter()
            .map(|head| head.sequence)
            .max()
            .unwrap_or(0)
            .max(counted);
        if furthest > end {
            return Err(Broken {
                row: end + 1,
                reason: format!("it is missing: the end was cut, there were {furthest} events or more"),
            });
        }
        if counted != end {
            return Err(Broken {
                row: end,
                reason: format!("the counter says {counted} events, and there are {end}"),
            });
        }
        Ok(Verified {
            events: end,
            unkeyed: self.unkeyed,
            head: self.last,
        })
    }
}

/// Whether an event says that the chain is keyed from it on.
fn is_switch_over(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body)
        .is_ok_and(|event| event.get("action").is_some_and(|action| action == "key"))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn key() -> AuditKey {
        AuditKey::new(Zeroizing::new([7; 32]))
    }

    #[test]
    fn the_key_and_each_part_make_another_hash() {
        let other = AuditKey::new(Zeroizing::new([8; 32]));
        let hashes = [
            key().digest(1, "", "a"),
            other.digest(1, "", "a"),
            key().digest(2, "", "a"),
            key().digest(1, "x", "a"),
            key().digest(1, "", "b"),
            plain_digest(1, "", "a"),
        ];
        let different: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
        assert_eq!(format!("{:?}", key()), "[secret]");
    }

    #[test]
    fn who_has_no_key_cannot_go_on_without_it() {
        let key = key();
        let first = key.digest(1, "", "{}");
        let mut walk = Walk::new(Some(&key), &[], Pruned::default());
        let link = |sequence, previous: &str, hash: String, keyed, body: &str| Link {
            sequence,
            previous: previous.to_owned(),
            hash,
            keyed,
            body: body.to_owned(),
        };
        walk.step(link(1, "", first.clone(), true, "{}")).unwrap();
        let plain = plain_digest(2, &first, "{}");
        assert_eq!(walk.step(link(2, &first, plain, false, "{}")).unwrap_err().row, 2);
        // Nor is a chain believed that has no key up to some row of somebody's choice.
        let mut walk = Walk::new(Some(&key), &[], Pruned::default());
        let plain = plain_digest(1, "", "{}");
        walk.step(link(1, "", plain.clone(), false, "{}")).unwrap();
        let hash = key.digest(2, &plain, "{}");
        assert_eq!(walk.step(link(2, &plain, hash, true, "{}")).unwrap_err().row, 2);
    }
}
