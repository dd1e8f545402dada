//! Whom a refusal names: kept ready at each scope, so that a refusal is no slower than an answer yes.
//!
//! Whoever can create access rules need not hold everything, nor be allowed to give every role. They are therefore kept by
//! role, each with what it can hand on ([`Role::conveys`]), and a refusal takes those who can help with what it is about.

use std::sync::Arc;

use reeve_types::AccessRuleId;

use super::subjects::Subjects;
use super::{AtScope, Held, Index};
use crate::denial::{Granters, GrantersByRole, Missing};
use crate::role::Role;
use crate::roles::RoleSlot;
use crate::scope::Scope;
use crate::subject::SubjectKey;
use crate::tree::ScopeIndex;

impl Index {
    /// The nearest scope, upwards, where somebody can grant what is missing.
    pub(super) fn nearest_granters(&self, scope: Scope, missing: Missing<'_>) -> Option<Granters> {
        let (at, here) = self.tree.path(scope)?.iter().rev().find_map(|at| {
            let here = self.scopes.get(at.slot())?.granters.as_ref()?;
            here.iter()
                .any(|some| some.can_grant(missing))
                .then_some((at, here))
        })?;
        Some(Granters {
            at: self.tree.scope(at)?,
            here: Arc::clone(here),
        })
    }

    /// A rule came to a scope.
    pub(super) fn granter_came(&mut self, at: ScopeIndex, came: Held) {
        let (role, scope) = (self.roles.get(came.role), self.tree.scope(at));
        let Some(role) = role.filter(|role| scope.is_some_and(|scope| role.creates_rules_in(scope))) else {
            return;
        };
        let Some(here) = self.scopes.get_mut(at.slot()) else {
            return;
        };
        let named = of_role(here, role);
        // Later rules change nothing once there are as many as are named.
        if named.len() == GrantersByRole::NAMED && named.last().is_some_and(|(last, _)| *last < came.rule) {
            return;
        }
        let follows = named.last().is_none_or(|(last, _)| *last < came.rule);
        let Some(subject) = self.subjects.key(came.subject).filter(|_| follows) else {
            name_again(here, role, came.role, &self.subjects, scope);
            return;
        };
        if named.iter().all(|(_, other)| other != subject) {
            let mut who = named.to_vec();
            who.push((came.rule, subject.clone()));
            put(here, role, who);
        }
    }

    /// A rule went from a scope.
    pub(super) fn granter_went(&mut self, at: ScopeIndex, went: AccessRuleId, slot: RoleSlot) {
        let Some(role) = self.roles.get(slot).filter(|role| role.creates_rules()) else {
            return;
        };
        let scope = self.tree.scope(at);
        let Some(here) = self.scopes.get_mut(at.slot()) else {
            return;
        };
        // Of each subject the oldest rule is named; any other may go unnoticed.
        if of_role(here, role).iter().any(|(rule, _)| *rule == went) {
            name_again(here, role, slot, &self.subjects, scope);
        }
    }

    /// Finds again whom refusals name of the rules with a role, everywhere: it changed.
    pub(super) fn find_granters(&mut self, slot: RoleSlot) {
        let Some(role) = self.roles.get(slot) else {
            return;
        };
        for (place, here) in self.scopes.iter_mut().enumerate() {
            name_again(here, role, slot, &self.subjects, self.tree.scope_at(place));
        }
    }
}

fn of_role<'a>(here: &'a AtScope, role: &Role) -> &'a [(AccessRuleId, SubjectKey)] {
    here.granters
        .iter()
        .flat_map(|all| all.iter())
        .find(|some| some.role.id() == role.id())
        .map_or(&[], |some| &some.who)
}

/// Looks through the rules of a scope for those with a role.
fn name_again(here: &mut AtScope, role: &Role, slot: RoleSlot, subjects: &Subjects, scope: Option<Scope>) {
    let mut who = Vec::new();
    if scope.is_some_and(|scope| role.creates_rules_in(scope)) {
        for held in here.rules.iter().filter(|held| held.role == slot) {
            let subject = subjects
                .key(held.subject)
                .filter(|subject| who.iter().all(|(_, other)| other != *subject));
            who.extend(subject.map(|subject| (held.rule, subject.clone())));
            if who.len() == GrantersByRole::NAMED {
                break;
            }
        }
    }
    put(here, role, who);
}

/// Sets whom a scope names of one role.
fn put(here: &mut AtScope, role: &Role, who: Vec<(AccessRuleId, SubjectKey)>) {
    let others = here.granters.iter().flat_map(|all| all.iter());
    let mut all: Vec<GrantersByRole> = others
        .filter(|some| some.role.id() != role.id())
        .cloned()
        .collect();
    if !who.is_empty() {
        all.push(GrantersByRole {
            role: role.clone(),
            conveys: role.conveys(),
            who,
        });
        // Whatever came first: an index is equal to one that is built of the same rules.
        all.sort_unstable_by_key(|some| some.role.id());
    }
    here.granters = (!all.is_empty()).then(|| all.into());
}
