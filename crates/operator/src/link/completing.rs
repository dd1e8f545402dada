//! A complete state that is under way: what its parts have named so far. Pure.

use std::collections::HashSet;

use reeve_link::{Batch, ObjectKey};

/// One complete state, from its first part to its end mark.
#[derive(Debug, Default)]
pub struct Completing {
    named: HashSet<ObjectKey>,
}

impl Completing {
    /// Takes a part; answers what of `known` is to be removed now: rules once every rule was named, the rest at the end mark.
    pub fn take(&mut self, part: &Batch, known: &[ObjectKey]) -> Vec<ObjectKey> {
        self.named
            .extend(part.upserts.iter().map(|upsert| upsert.object.key()));
        let is_due = |key: &ObjectKey| match key {
            ObjectKey::AccessRule(_) => part.rules_end || !part.more,
            _ => !part.more,
        };
        let missing = |key: &&ObjectKey| is_due(key) && !self.named.contains(*key);
        known.iter().filter(missing).copied().collect()
    }

    /// Whether a part has named it.
    pub fn names(&self, key: ObjectKey) -> bool {
        self.named.contains(&key)
    }
}
