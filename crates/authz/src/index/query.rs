//! The questions. Every one about a caller looks at rules through [`Index::anywhere`] or [`Index::reaching`] (on the way to
//! one scope), and both find the caller's subjects through [`Index::subjects_of`].

use std::sync::Arc;

use reeve_types::{AccessRuleId, ClusterId, GroupName};

use super::subjects::{Grant, Grants};
use super::{AtScope, Index, Stored};
use crate::decision::{Granted, Reason};
use crate::denial::{Denial, Granters};
use crate::permission::{Action, Entity, Permission, Permissions};
use crate::role::Role;
use crate::scope::Scope;
use crate::subject::{Principal, Rule, SubjectKey, SubjectKind};
use crate::tree::{At, Path};
use crate::visible::Visible;

const EVERY_ROLE: u8 = u8::MAX;

/// The name by which a rule reaches the caller.
#[derive(Clone, Copy)]
enum Through<'a> {
    Subject(&'a SubjectKey),
    Group(&'a GroupName),
}

impl Through<'_> {
    fn key(self) -> SubjectKey {
        match self {
            Self::Subject(key) => key.clone(),
            Self::Group(name) => SubjectKey::Group(name.clone()),
        }
    }
}

impl Index {
    /// The caller's own rules, then those of each group, as far as they are `wanted`.
    fn subjects_of<'a>(
        &'a self,
        principal: &'a Principal,
        wanted: impl Fn(&Grants) -> bool + Copy,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grants)> {
        let own = &principal.subject;
        let found = self.subjects.get(own.kind(), own.name(), wanted);
        let groups = principal.groups.iter().filter_map(move |name| {
            let found = self.subjects.get(SubjectKind::Group, name.as_str(), wanted)?;
            Some((Through::Group(name), found))
        });
        found
            .map(|found| (Through::Subject(own), found))
            .into_iter()
            .chain(groups)
    }

    /// Those with any role among `roles`.
    fn holders<'a>(
        &'a self,
        principal: &'a Principal,
        roles: u8,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grants)> {
        self.subjects_of(principal, move |grants| grants.has_any(roles))
    }

    /// Every rule of the caller's with any role among `roles` on the way to one scope; the caller's own first, then those
    /// of each group; of each subject the nearest first, then the oldest.
    fn reaching<'a>(
        &'a self,
        principal: &'a Principal,
        roles: u8,
        path: &'a Path,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grant)> {
        let wanted = move |grants: &Grants| grants.has_any(roles) && grants.may_touch(path);
        self.subjects_of(principal, wanted)
            .flat_map(move |(through, grants)| {
                let allowing = grants
                    .on(path)
                    .filter(move |grant| grant.role.mask() & roles != 0);
                allowing.map(move |grant| (through, grant))
            })
    }

    /// Every rule of the caller's with any role among `roles`, wherever.
    fn anywhere<'a>(
        &'a self,
        principal: &'a Principal,
        roles: u8,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grant)> {
        self.holders(principal, roles).flat_map(move |(through, grants)| {
            let allowing = grants
                .all()
                .iter()
                .filter(move |grant| grant.role.mask() & roles != 0);
            allowing.map(move |grant| (through, grant))
        })
    }

    fn reason(&self, through: Through<'_>, grant: &Grant) -> Option<Reason> {
        let at = self.tree.scope(grant.at)?;
        Some(Reason {
            rule: grant.rule,
            role: grant.role,
            through: through.key(),
            at,
        })
    }

    /// Whether the caller may do this, and why or why not. In an unknown scope nobody may do anything.
    ///
    /// Where several rules allow it, the one named is the caller's own before a group's, then the nearest to the scope,
    /// then the oldest. [`Index::reasons`] names all.
    ///
    /// # Errors
    /// [`Denial`], with what is missing.
    pub fn decide(
        &self,
        principal: &Principal,
        action: Action,
        entity: Entity,
        scope: Scope,
    ) -> Result<Granted, Denial> {
        let permission = Permission::new(action, entity);
        let roles = Role::allowing(permission);
        let found = self
            .tree
            .path(scope)
            .and_then(|path| self.reaching(principal, roles, path).next());
        match found.and_then(|(through, grant)| self.reason(through, grant)) {
            Some(reason) => Ok(Granted::by_rule(
                action,
                entity,
                scope,
                principal.subject.clone(),
                reason,
            )),
            None => Err(self.denial(principal, permission, scope)),
        }
    }

    fn denial(&self, principal: &Principal, permission: Permission, scope: Scope) -> Denial {
        Denial {
            action: permission.action,
            entity: permission.entity,
            scope,
            held_nowhere: !self.holds_anywhere(principal, permission.action, permission.entity),
            known: self.knows(scope),
            granters: self.nearest_granters(scope),
        }
    }

    fn nearest_granters(&self, scope: Scope) -> Option<Granters> {
        let named = |at: At| {
            self.scopes
                .get(at.slot())?
                .named
                .as_ref()
                .map(|named| (at, &named.who))
        };
        let (at, who) = self.tree.path(scope)?.iter().rev().find_map(named)?;
        Some(Granters {
            at: self.tree.scope(at)?,
            who: Arc::clone(who),
        })
    }

    /// Every rule that allows it, in the order of [`Index::decide`]: after removing all of them it is refused.
    pub fn reasons(
        &self,
        principal: &Principal,
        action: Action,
        entity: Entity,
        scope: Scope,
    ) -> Vec<Reason> {
        let Some(path) = self.tree.path(scope) else {
            return Vec::new();
        };
        let roles = Role::allowing(Permission::new(action, entity));
        self.reaching(principal, roles, path)
            .filter_map(|(through, grant)| self.reason(through, grant))
            .collect()
    }

    /// Whether the caller may do this in any scope.
    pub fn holds_anywhere(&self, principal: &Principal, action: Action, entity: Entity) -> bool {
        self.holders(principal, Role::allowing(Permission::new(action, entity)))
            .next()
            .is_some()
    }

    fn granted_at(&self, principal: &Principal, action: Action, entity: Entity) -> Vec<At> {
        let roles = Role::allowing(Permission::new(action, entity));
        let mut found: Vec<At> = self
            .anywhere(principal, roles)
            .map(|(_, grant)| grant.at)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The scopes in which it was granted to the caller, not expanded, each once, in order.
    pub fn permitted_scopes(&self, principal: &Principal, action: Action, entity: Entity) -> Vec<Scope> {
        let granted = self.granted_at(principal, action, entity);
        let mut scopes: Vec<Scope> = granted.into_iter().filter_map(|at| self.tree.scope(at)).collect();
        scopes.sort_unstable();
        scopes
    }

    /// Where the caller may read the entity: the filter for lists, counts and gets.
    ///
    /// # Errors
    /// [`Denial`] where that is nowhere.
    pub fn visible(&self, principal: &Principal, entity: Entity) -> Result<Visible, Denial> {
        let granted = self.granted_at(principal, Action::Read, entity);
        if granted.is_empty() {
            return Err(self.denial(principal, Permission::new(Action::Read, entity), Scope::Account));
        }
        Ok(Visible::new(
            entity,
            principal.subject.clone(),
            granted,
            Arc::clone(&self.tree),
        ))
    }

    /// Whether the caller may give `role` in `scope` to anybody: by `access_rules:create` there, and every permission of
    /// the role held there, so that nobody hands out more than they have.
    ///
    /// # Errors
    /// [`Denial`], with the first permission that is missing.
    pub fn may_grant(&self, principal: &Principal, role: Role, scope: Scope) -> Result<Granted, Denial> {
        let granted = self.decide(principal, Action::Create, Entity::AccessRules, scope)?;
        let missing = role.permissions().without(self.held_at(principal, scope));
        match missing.iter().next() {
            None => Ok(granted),
            Some(permission) => Err(self.denial(principal, permission, scope)),
        }
    }

    /// Everything the caller may do in a scope.
    pub fn held_at(&self, principal: &Principal, scope: Scope) -> Permissions {
        let Some(path) = self.tree.path(scope) else {
            return Permissions::NONE;
        };
        self.reaching(principal, EVERY_ROLE, path)
            .fold(Permissions::NONE, |held, (_, grant)| {
                held.union(grant.role.permissions())
            })
    }

    /// Everything the caller may do in some scope or other: `GET /authorization/permissions`.
    pub fn held_anywhere(&self, principal: &Principal) -> Permissions {
        self.anywhere(principal, EVERY_ROLE)
            .fold(Permissions::NONE, |held, (_, grant)| {
                held.union(grant.role.permissions())
            })
    }

    /// Everything the caller may do, scope by scope as granted: what-can. Complete, without a cap.
    pub fn what_can(&self, principal: &Principal) -> Vec<Reason> {
        self.anywhere(principal, EVERY_ROLE)
            .filter_map(|(through, grant)| self.reason(through, grant))
            .collect()
    }

    /// Every rule by which anybody may do this, the nearest scope first, then by id: who-can. Complete, without a cap.
    pub fn who_can(&self, action: Action, entity: Entity, scope: Scope) -> Vec<Reason> {
        let permission = Permission::new(action, entity);
        self.rules_on_path(scope)
            .filter(|(_, stored)| stored.role.allows(permission))
            .filter_map(|(rule, stored)| {
                let at = self.tree.scope(stored.at)?;
                Some(Reason {
                    rule,
                    role: stored.role,
                    through: self.subjects.key(stored.subject)?.clone(),
                    at,
                })
            })
            .collect()
    }

    /// Every rule that reaches a scope, from itself upwards, then by id.
    pub fn rules_reaching(&self, scope: Scope) -> Vec<Rule> {
        self.rules_on_path(scope)
            .filter_map(|(id, stored)| self.rule_of(id, stored))
            .collect()
    }

    fn rules_on_path(&self, scope: Scope) -> impl Iterator<Item = (AccessRuleId, &Stored)> {
        let path = self
            .tree
            .path(scope)
            .into_iter()
            .flat_map(|path| path.iter().rev());
        path.filter_map(|at| self.scopes.get(at.slot()))
            .flat_map(|here: &AtScope| &here.rules)
            .filter_map(|id| self.rules.get(id).map(|stored| (*id, stored)))
    }

    fn rule_of(&self, id: AccessRuleId, stored: &Stored) -> Option<Rule> {
        Some(Rule {
            id,
            subject: self.subjects.key(stored.subject)?.clone(),
            role: stored.role,
            scope: self.tree.scope(stored.at)?,
        })
    }

    /// Whether any rule of the caller's, whatever its role, reaches the cluster or something in it.
    pub fn reaches_cluster(&self, principal: &Principal, cluster: ClusterId) -> bool {
        let Some(cluster) = self.tree.at(Scope::Cluster(cluster)) else {
            return false;
        };
        self.subjects_of(principal, |_| true)
            .flat_map(|(_, grants)| grants.all())
            .any(|grant| {
                grant.at == At::ROOT
                    || self
                        .tree
                        .path_at(grant.at)
                        .is_some_and(|path| path.contains(cluster))
            })
    }

    /// The scope and what is above it, account first; empty for an unknown scope.
    pub fn ancestors(&self, scope: Scope) -> Vec<Scope> {
        let path = self.tree.path(scope).into_iter().flat_map(Path::iter);
        path.filter_map(|at| self.tree.scope(at)).collect()
    }

    /// What is directly above; `None` for the account and for an unknown scope.
    pub fn parent(&self, scope: Scope) -> Option<Scope> {
        self.tree.parent(scope)
    }

    /// The scope and everything below it, itself first; empty for an unknown scope.
    pub fn descendants(&self, scope: Scope) -> Vec<Scope> {
        self.tree
            .below(scope)
            .into_iter()
            .filter_map(|at| self.tree.scope(at))
            .collect()
    }

    /// Whether the scope exists.
    pub fn knows(&self, scope: Scope) -> bool {
        self.tree.at(scope).is_some()
    }

    /// Every scope, in no order.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.tree.scopes()
    }

    /// The rule with this id.
    pub fn rule(&self, id: AccessRuleId) -> Option<Rule> {
        self.rule_of(id, self.rules.get(&id)?)
    }

    /// Every rule, in no order.
    pub fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.rules
            .iter()
            .filter_map(|(id, stored)| self.rule_of(*id, stored))
    }

    /// How many rules there are.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }
}
