//! What a change of rules, roles or groups would give and take, before it is made.
//!
//! Nothing here decides anything by itself. [`Index::preview`] makes two small indexes, of today's rules and of those after
//! the change, as far as they name somebody the question is about; what each allows is asked of them as of any other.

use std::collections::{BTreeMap, BTreeSet};

use reeve_types::AccessRuleId;

use crate::index::Index;
use crate::permission::PermissionSet;
use crate::role::{Role, RoleId};
use crate::scope::Scope;
use crate::subject::{Principal, Rule, SubjectKey};

/// A change that is not made yet.
#[derive(Clone, Debug)]
pub enum Change {
    /// A rule more. It has no id yet. In an unknown scope, or with an unknown role, it would give nothing.
    AddRule {
        /// Whom it names.
        subject: SubjectKey,
        /// The role it gives.
        role: RoleId,
        /// Where.
        scope: Scope,
    },
    /// A rule less.
    RemoveRule(AccessRuleId),
    /// A role that is made at run time, in place of one with the same id.
    PutRole(Role),
    /// A role that was made at run time goes, with every rule that gives it.
    RemoveRole(RoleId),
}

/// Permissions in a scope and in everything below it, but in some parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reach {
    /// The scope.
    pub scope: Scope,
    /// Scopes below it that are left out, each with everything below it. Sorted, and none below another.
    pub except: Vec<Scope>,
    /// What may be done.
    pub permissions: PermissionSet,
}

/// What somebody gains and loses, exactly: no permission in a scope is in both, and none is named twice.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Difference {
    /// Not held before, and held after.
    pub gained: Vec<Reach>,
    /// Held before, and not after.
    pub lost: Vec<Reach>,
}

/// The rules of before and after a change, of those whom it was made for.
#[derive(Debug)]
pub struct Preview {
    before: Index,
    after: Index,
}

impl Index {
    /// Whom changes are about: the subjects of the rules that come and go, and of those whose role changes. What the members of
    /// a group gain is not told by this: whoever knows them asks for each.
    pub fn subjects_of_changes(&self, changes: &[Change]) -> BTreeSet<SubjectKey> {
        let mut found = BTreeSet::new();
        for change in changes {
            match change {
                Change::AddRule { subject, .. } => {
                    found.insert(subject.clone());
                }
                Change::RemoveRule(id) => found.extend(self.rule(*id).map(|rule| rule.subject)),
                Change::PutRole(role) => found.extend(self.subjects_with(role.id())),
                Change::RemoveRole(id) => found.extend(self.subjects_with(*id)),
            }
        }
        found
    }

    /// The changes, for these callers as they are before and after: who is asked about later and is none of them, or in another
    /// group, seems to hold nothing.
    pub fn preview<'a>(
        &self,
        changes: &[Change],
        callers: impl IntoIterator<Item = &'a Principal>,
    ) -> Preview {
        let mut subjects = self.subjects_of_changes(changes);
        for caller in callers {
            subjects.insert(caller.subject.clone());
            subjects.extend(caller.groups.iter().cloned().map(SubjectKey::Group));
        }
        let before = self.of_subjects(&subjects);
        let mut after = before.clone();
        let mut id = i64::from(i32::MAX);
        for change in changes {
            match change {
                Change::AddRule { subject, role, scope } => {
                    // Any id that no rule has: it is shown to nobody.
                    let free = std::iter::from_fn(|| {
                        let candidate = AccessRuleId::new(id);
                        id -= 1;
                        candidate
                    })
                    .find(|id| self.rule(*id).is_none());
                    let Some(id) = free else { continue };
                    after.add_rule(Rule {
                        id,
                        subject: subject.clone(),
                        role: *role,
                        scope: *scope,
                    });
                }
                Change::RemoveRule(id) => {
                    after.remove_rule(*id);
                }
                Change::PutRole(role) => {
                    after.put_role(role.clone());
                }
                Change::RemoveRole(id) => {
                    after.remove_role(*id);
                }
            }
        }
        Preview { before, after }
    }
}

impl Preview {
    /// What somebody gains and loses who is `before` the change and `after` it (in other groups, if that is the change), by the
    /// rules in scopes that are `seen`.
    pub fn difference(
        &self,
        before: &Principal,
        after: &Principal,
        seen: impl Fn(Scope) -> bool,
    ) -> Difference {
        let had = held(&self.before, before, &seen);
        let has = held(&self.after, after, &seen);
        Difference {
            gained: beyond(&self.before, &has, &had),
            lost: beyond(&self.before, &had, &has),
        }
    }
}

/// What was granted where, by scope.
fn held(index: &Index, who: &Principal, seen: impl Fn(Scope) -> bool) -> BTreeMap<Scope, PermissionSet> {
    let mut held: BTreeMap<Scope, PermissionSet> = BTreeMap::new();
    for reason in index.what_can(who) {
        if seen(reason.at) {
            let here = held.entry(reason.at).or_default();
            *here = here.union(reason.role.permissions());
        }
    }
    held
}

/// Of what `more` gives, in its scopes and everything below, what `less` does not.
fn beyond(
    index: &Index,
    more: &BTreeMap<Scope, PermissionSet>,
    less: &BTreeMap<Scope, PermissionSet>,
) -> Vec<Reach> {
    let mut found = Vec::new();
    for (scope, given) in more {
        let way = index.ancestors(*scope);
        let above = way.split_last().map_or(&[][..], |(_, above)| above);
        // What is given further up is named there.
        let fresh = given.without(along(more, above)).without(along(less, &way));
        if fresh.is_empty() {
            continue;
        }
        let inside: Vec<(Scope, PermissionSet)> = less
            .iter()
            .filter_map(|(at, held)| {
                let way = index.ancestors(*at);
                let below = way.iter().position(|step| step == scope)?;
                let between = way.get(below + 1..way.len().checked_sub(1)?)?;
                let held = held.intersection(fresh).without(along(less, between));
                (at != scope && !held.is_empty()).then_some((*at, held))
            })
            .collect();
        let mut parts: BTreeMap<Vec<Scope>, PermissionSet> = BTreeMap::new();
        for permission in fresh.iter() {
            let except = inside
                .iter()
                .filter(|(_, held)| held.contains(permission))
                .map(|(at, _)| *at)
                .collect();
            let part = parts.entry(except).or_default();
            *part = part.with(permission);
        }
        found.extend(parts.into_iter().map(|(except, permissions)| Reach {
            scope: *scope,
            except,
            permissions,
        }));
    }
    found
}

/// What is given at any of these scopes.
fn along(held: &BTreeMap<Scope, PermissionSet>, scopes: &[Scope]) -> PermissionSet {
    scopes
        .iter()
        .filter_map(|scope| held.get(scope))
        .fold(PermissionSet::NONE, |all, here| all.union(*here))
}
