//! Many rules at once, as at a start.
//!
//! One rule touches some ten places of memory that are far from each other. Here what a rule does to its scope and to its subject
//! waits until many are known, and is then done place by place: each list gets its length at once, and little is moved.

use std::hash::BuildHasher as _;
use std::hint::black_box;

use super::by_place::by_place;
use super::subjects::{Grant, SubjectIndex};
use super::{Counted, Held, Index};
use crate::subject::Rule;
use crate::tree::ScopeIndex;

/// How many rules are fetched from memory at the same time: some more than a processor has reads on their way.
pub(super) const TOGETHER: usize = 32;

/// How many rules wait at most: what waits stays small beside what is kept, and is used again by those that come after.
const WAITING: usize = 1 << 18;

/// What is still to be done for rules that are already counted.
#[derive(Default)]
struct Waiting {
    held: Vec<(ScopeIndex, Held)>,
    /// Of subjects that have a rule already.
    grants: Vec<(SubjectIndex, Grant)>,
    /// Rules in place of others. These have to be there first.
    replacing: Vec<Rule>,
}

impl Index {
    /// Adds many rules, as [`Index::add_rule`] adds each: in their order, and where one cannot be added it is left out. Faster
    /// than one by one where there are hundreds of thousands. Gives how many were added.
    pub fn add_rules(&mut self, rules: impl IntoIterator<Item = Rule>) -> usize {
        let mut rules = rules.into_iter();
        let expected = rules.size_hint().0;
        let hasher = &self.hasher;
        self.rules
            .reserve(expected, |stored| hasher.hash_one(stored.rule));
        self.subjects.reserve(expected / 2);
        let (mut added, mut some) = (0, Vec::with_capacity(TOGETHER));
        let mut waiting = Waiting::default();
        waiting.held.reserve(expected.min(WAITING + TOGETHER));
        loop {
            some.extend(rules.by_ref().take(TOGETHER));
            if some.is_empty() {
                break;
            }
            for rule in &some {
                self.subjects.fetch(&rule.subject);
                black_box(self.stored(rule.id));
            }
            for rule in some.drain(..) {
                added += usize::from(self.await_rule(rule, &mut waiting));
            }
            if waiting.held.len() >= WAITING {
                self.put_in_place(&mut waiting);
            }
        }
        self.put_in_place(&mut waiting);
        self.subjects.shrink();
        let replacing = waiting.replacing.into_iter();
        added
            + replacing
                .map(|rule| usize::from(self.add_rule(rule)))
                .sum::<usize>()
    }

    /// Counts a rule, and leaves the rest of it to wait. False where it is not to be counted now.
    fn await_rule(&mut self, rule: Rule, waiting: &mut Waiting) -> bool {
        if self.stored(rule.id).is_some() {
            waiting.replacing.push(rule);
            return false;
        }
        let Some(Counted { at, held, more }) = self.count_rule(rule) else {
            return false;
        };
        waiting.grants.extend(more.map(|grant| (held.subject, grant)));
        waiting.held.push((at, held));
        true
    }

    /// Does what waits, but for rules in place of others.
    fn put_in_place(&mut self, waiting: &mut Waiting) {
        self.hang(&waiting.held);
        self.subjects.extend(&waiting.grants);
        waiting.held.clear();
        waiting.grants.clear();
    }

    /// Hangs rules on their scopes.
    fn hang(&mut self, held: &[(ScopeIndex, Held)]) {
        let by_scope = by_place(held, self.scopes.len(), |at| at.slot());
        for (here, new) in self.scopes.iter_mut().zip(by_scope.groups()) {
            here.rules.reserve_exact(new.len());
            for held in new {
                here.add(*held);
            }
        }
        for (at, held) in held {
            self.granter_came(*at, *held);
        }
    }
}
