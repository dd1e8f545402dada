//! Rules by subject.

use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::slice;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use reeve_types::AccessRuleId;

use super::by_place::by_place;
use crate::roles::{RoleFilter, RoleSlot};
use crate::subject::{SubjectKey, SubjectKind};
use crate::tree::{Path, ScopeIndex};

/// A rule as its subject holds it. Ordered by scope, then id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Grant {
    pub(super) at: ScopeIndex,
    pub(super) rule: AccessRuleId,
    pub(super) role: RoleSlot,
}

/// A subject, interned. Numbers of subjects whose last rule went are given again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SubjectIndex(u32);

impl SubjectIndex {
    const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// The subjects that have a rule. Each name is kept once; the table holds numbers only.
#[derive(Clone, Debug, Default)]
pub(super) struct Subjects {
    table: HashTable<SubjectIndex>,
    slots: Vec<Option<Slot>>,
    free: Vec<SubjectIndex>,
    hasher: RandomState,
}

#[derive(Clone, Debug)]
struct Slot {
    key: SubjectKey,
    grants: Grants,
}

impl Slot {
    fn is(&self, kind: SubjectKind, name: &str) -> bool {
        self.key.kind() == kind && self.key.name() == name
    }
}

impl Subjects {
    /// The rules of a subject, if they are `wanted`. That is asked before the name is compared: most of a caller's
    /// subjects have nothing to say about a question, and their names need not be fetched from memory.
    ///
    /// Kind and name are hashed and compared as two fields, never joined into one text.
    pub(super) fn get(
        &self,
        kind: SubjectKind,
        name: &str,
        wanted: impl Fn(&Grants) -> bool,
    ) -> Option<&Grants> {
        let fits = |slot: &Slot| wanted(&slot.grants) && slot.is(kind, name);
        let who = self
            .table
            .find(self.hash(kind, name), |who| self.slot(*who).is_some_and(fits))?;
        self.slot(*who).map(|slot| &slot.grants)
    }

    /// The rules of a subject.
    pub(super) fn grants(&self, who: SubjectIndex) -> Option<&Grants> {
        self.slot(who).map(|slot| &slot.grants)
    }

    pub(super) fn key(&self, who: SubjectIndex) -> Option<&SubjectKey> {
        self.slot(who).map(|slot| &slot.key)
    }

    fn slot(&self, who: SubjectIndex) -> Option<&Slot> {
        self.slots.get(who.slot())?.as_ref()
    }

    fn slot_mut(&mut self, who: SubjectIndex) -> Option<&mut Slot> {
        self.slots.get_mut(who.slot())?.as_mut()
    }

    fn hash(&self, kind: SubjectKind, name: &str) -> u64 {
        self.hasher.hash_one((kind as u8, name))
    }

    /// Reads what [`Subjects::intern`] will look at, and what [`SubjectKey::clone`] of it would: asked of several subjects one
    /// after the other, the processor fetches them from memory at the same time.
    pub(super) fn fetch(&self, key: &SubjectKey) {
        let found = self.table.find(self.hash(key.kind(), key.name()), |who| {
            self.fetch_known(*who);
            false
        });
        black_box(found);
    }

    /// The same for a subject that is known.
    pub(super) fn fetch_known(&self, who: SubjectIndex) {
        black_box(self.key(who).and_then(|key| key.name().as_bytes().first()));
    }

    /// Makes room for so many more subjects at most, so that none is moved while they come.
    pub(super) fn reserve(&mut self, more: usize) {
        let Self {
            table, slots, hasher, ..
        } = self;
        slots.reserve(more);
        table.reserve(more, |who| hash_of(slots, hasher, *who));
    }

    /// Gives back the room that nobody needed.
    pub(super) fn shrink(&mut self) {
        let Self {
            table, slots, hasher, ..
        } = self;
        slots.shrink_to_fit();
        table.shrink_to_fit(|who| hash_of(slots, hasher, *who));
    }

    /// Adds a rule to a subject that has some.
    pub(super) fn add(&mut self, who: SubjectIndex, grant: Grant) {
        if let Some(slot) = self.slot_mut(who) {
            slot.grants.add(grant);
        }
    }

    /// Adds rules to subjects that have some.
    pub(super) fn extend(&mut self, more: &[(SubjectIndex, Grant)]) {
        let by_subject = by_place(more, self.slots.len(), SubjectIndex::slot);
        for (slot, new) in self.slots.iter_mut().zip(by_subject.groups()) {
            if let (Some(slot), [_, ..]) = (slot, new) {
                slot.grants.extend(new);
            }
        }
    }

    /// The subject, and whether it has rules already. One that has none is added with this as its first. `None`,
    /// and nothing added, above four thousand million subjects.
    pub(super) fn intern(&mut self, key: SubjectKey, first: Grant) -> Option<(SubjectIndex, bool)> {
        let hash = self.hash(key.kind(), key.name());
        let same = |slot: &Slot| slot.is(key.kind(), key.name());
        let found = self
            .table
            .find(hash, |who| self.slot(*who).is_some_and(same))
            .copied();
        if let Some(who) = found {
            return Some((who, true));
        }
        let slot = Slot {
            key,
            grants: Grants::one(first),
        };
        let who = match self.free.pop() {
            Some(who) => {
                *self.slots.get_mut(who.slot())? = Some(slot);
                who
            }
            None => {
                let who = SubjectIndex(u32::try_from(self.slots.len()).ok()?);
                self.slots.push(Some(slot));
                who
            }
        };
        let Self {
            table, slots, hasher, ..
        } = self;
        table.insert_unique(hash, who, |who| hash_of(slots, hasher, *who));
        Some((who, false))
    }

    /// Removes a rule from its subject, and the subject with its last rule. Hands back the subject.
    pub(super) fn remove(&mut self, who: SubjectIndex, grant: Grant) -> Option<SubjectKey> {
        let slot = self.slot_mut(who)?;
        if !slot.grants.remove(grant) {
            return Some(slot.key.clone());
        }
        let Slot { key, .. } = self.slots.get_mut(who.slot())?.take()?;
        self.free.push(who);
        let hash = self.hash(key.kind(), key.name());
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == who) {
            entry.remove();
        }
        Some(key)
    }
}

fn hash_of(slots: &[Option<Slot>], hasher: &RandomState, who: SubjectIndex) -> u64 {
    let slot = slots.get(who.slot()).and_then(Option::as_ref);
    slot.map_or(0, |slot| {
        hasher.hash_one((slot.key.kind() as u8, slot.key.name()))
    })
}

/// The rules of one subject: at least one.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    /// The roles among them.
    roles: RoleFilter,
    kept: GrantList,
}

/// Most subjects have a single rule, which needs no memory of its own.
#[derive(Clone, Debug)]
enum GrantList {
    One(Grant),
    /// Sorted.
    Many(Vec<Grant>),
}

impl Grants {
    const fn one(grant: Grant) -> Self {
        Self {
            roles: grant.role.filter(),
            kept: GrantList::One(grant),
        }
    }

    pub(super) fn all(&self) -> &[Grant] {
        match &self.kept {
            GrantList::One(grant) => slice::from_ref(grant),
            GrantList::Many(grants) => grants,
        }
    }

    /// Those on the way to a scope, the nearest first, then by id.
    pub(super) fn on<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = &'a Grant> {
        path.iter().rev().flat_map(|at| self.at(at))
    }

    /// False only where nothing is on the way. Looks at all of a few without a branch in between, so that the processor
    /// reads ahead over subjects that do not matter; leaves the many to the search.
    pub(super) fn may_touch(&self, path: &Path) -> bool {
        let all = self.all();
        all.len() > 16
            || all
                .iter()
                .fold(false, |touches, grant| touches | path.contains(grant.at))
    }

    /// The one that comes from a rule.
    pub(super) fn of_rule(&self, rule: AccessRuleId, at: ScopeIndex) -> Option<Grant> {
        self.at(at).iter().find(|grant| grant.rule == rule).copied()
    }

    fn at(&self, at: ScopeIndex) -> &[Grant] {
        let all = self.all();
        let start = all.partition_point(|grant| grant.at < at);
        let rest = all.get(start..).unwrap_or_default();
        let end = rest.iter().position(|grant| grant.at != at).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// Whether any of these roles may be among them.
    pub(super) const fn has_any(&self, roles: RoleFilter) -> bool {
        self.roles.overlaps(roles)
    }

    fn add(&mut self, grant: Grant) {
        self.roles = self.roles.or(grant.role.filter());
        match &mut self.kept {
            GrantList::One(other) => {
                let mut grants = vec![*other, grant];
                grants.sort_unstable();
                self.kept = GrantList::Many(grants);
            }
            GrantList::Many(grants) => {
                if grants.len() == grants.capacity() {
                    // By half instead of double: there are as many of these as there are subjects.
                    grants.reserve_exact(grants.len().div_ceil(2));
                }
                let place = grants.partition_point(|other| *other < grant);
                grants.insert(place, grant);
            }
        }
    }

    fn extend(&mut self, more: &[Grant]) {
        self.roles = more
            .iter()
            .fold(self.roles, |roles, grant| roles.or(grant.role.filter()));
        let mut grants = Vec::with_capacity(self.all().len() + more.len());
        grants.extend_from_slice(self.all());
        grants.extend_from_slice(more);
        grants.sort_unstable();
        self.kept = GrantList::Many(grants);
    }

    /// Whether nothing is left.
    fn remove(&mut self, grant: Grant) -> bool {
        match &mut self.kept {
            GrantList::One(only) => *only == grant,
            GrantList::Many(grants) => {
                if let Ok(place) = grants.binary_search(&grant) {
                    grants.remove(place);
                }
                self.roles = grants.iter().fold(RoleFilter::default(), |roles, grant| {
                    roles.or(grant.role.filter())
                });
                match grants.as_slice() {
                    [] => return true,
                    [only] => self.kept = GrantList::One(*only),
                    rest if rest.len() * 4 <= grants.capacity() => grants.shrink_to(rest.len() * 2),
                    _ => {}
                }
                false
            }
        }
    }
}
