//! The questions. Every one about a caller looks at rules through [`Index::anywhere`] or [`Index::reaching`] (on the way to
//! one scope), and both find the caller's subjects through [`Index::subjects_of`].

use std::sync::Arc;

use reeve_types::{AccessRuleId, ClusterId, GroupName};

use super::load::TOGETHER;
use super::subjects::{Grant, Grants};
use super::{Held, Index};
use crate::decision::{Granted, GrantedRole, Reason};
use crate::denial::{Denial, Missing, Ungivable};
use crate::entity::Entity;
use crate::permission::{Action, Permission, PermissionSet};
use crate::role::{Role, RoleId};
use crate::roles::{RoleFilter, RoleSlot, Roles};
use crate::scope::Scope;
use crate::subject::{Principal, Rule, SubjectKey, SubjectKind};
use crate::tree::{Path, ScopeIndex};
use crate::visible::Visible;

/// The roles that a question is about.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    filter: RoleFilter,
    /// Only roles that may do this, of those that pass the filter.
    permission: Option<(Permission, &'a Roles)>,
}

impl<'a> Wanted<'a> {
    const EVERY_ROLE: Self = Self {
        filter: RoleFilter::ALL,
        permission: None,
    };

    fn that_may(permission: Permission, roles: &'a Roles) -> Self {
        Self {
            filter: roles.allowing(permission),
            permission: Some((permission, roles)),
        }
    }

    fn has(self, role: RoleSlot) -> bool {
        self.filter.overlaps(role.filter())
            && self
                .permission
                .is_none_or(|(permission, roles)| roles.allows(role, permission))
    }
}

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

    /// Every rule of the caller's with any of the roles `wanted` on the way to one scope; the caller's own first, then those
    /// of each group; of each subject the nearest first, then the oldest.
    fn reaching<'a>(
        &'a self,
        principal: &'a Principal,
        wanted: Wanted<'a>,
        path: &'a Path,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grant)> {
        let matters = move |grants: &Grants| grants.has_any(wanted.filter) && grants.may_touch(path);
        self.subjects_of(principal, matters)
            .flat_map(move |(through, grants)| {
                let allowing = grants.on(path).filter(move |grant| wanted.has(grant.role));
                allowing.map(move |grant| (through, grant))
            })
    }

    /// Every rule of the caller's with any of the roles `wanted`, wherever.
    fn anywhere<'a>(
        &'a self,
        principal: &'a Principal,
        wanted: Wanted<'a>,
    ) -> impl Iterator<Item = (Through<'a>, &'a Grant)> {
        self.subjects_of(principal, move |grants| grants.has_any(wanted.filter))
            .flat_map(move |(through, grants)| {
                let allowing = grants.all().iter().filter(move |grant| wanted.has(grant.role));
                allowing.map(move |grant| (through, grant))
            })
    }

    fn that_may(&self, permission: Permission) -> Wanted<'_> {
        Wanted::that_may(permission, &self.roles)
    }

    fn reason(&self, through: Through<'_>, grant: &Grant) -> Option<Reason> {
        let at = self.tree.scope(grant.at)?;
        Some(Reason {
            rule: grant.rule,
            role: self.roles.get(grant.role)?.clone(),
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
        let wanted = self.that_may(permission);
        let found = self
            .tree
            .path(scope)
            .and_then(|path| self.reaching(principal, wanted, path).next());
        match found.and_then(|(through, grant)| self.reason(through, grant)) {
            Some(reason) => Ok(
                Granted::by_rule(action, entity, scope, principal.subject.clone(), reason)
                    .decided_at(self.version),
            ),
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
            ungivable: None,
            granters: self.nearest_granters(scope, Missing::Permission(permission)),
        }
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
        self.reaching(principal, self.that_may(Permission::new(action, entity)), path)
            .filter_map(|(through, grant)| self.reason(through, grant))
            .collect()
    }

    /// The answer to why and why not: every rule that allows it, of those in scopes that are `seen`, in the order of
    /// [`Index::decide`]. With every scope seen, it is a refusal exactly where that one is.
    ///
    /// # Errors
    /// [`Denial`], with what is missing: no rule in a scope that is seen allows it.
    pub fn explain(
        &self,
        principal: &Principal,
        (action, entity): (Action, Entity),
        scope: Scope,
        seen: impl Fn(Scope) -> bool,
    ) -> Result<Vec<Reason>, Denial> {
        let mut reasons = self.reasons(principal, action, entity, scope);
        reasons.retain(|reason| seen(reason.at));
        if reasons.is_empty() {
            return Err(self.denial(principal, Permission::new(action, entity), scope));
        }
        Ok(reasons)
    }

    /// Whether the caller may do this in any scope.
    pub fn holds_anywhere(&self, principal: &Principal, action: Action, entity: Entity) -> bool {
        self.anywhere(principal, self.that_may(Permission::new(action, entity)))
            .next()
            .is_some()
    }

    fn granted_at(&self, principal: &Principal, action: Action, entity: Entity) -> Vec<ScopeIndex> {
        let mut found: Vec<ScopeIndex> = self
            .anywhere(principal, self.that_may(Permission::new(action, entity)))
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

    /// Whether the caller may give `role` in `scope` to anybody: by a rule whose role creates access rules there and may give
    /// this one ([`Role::may_give_in`]), and every permission of the role held there, those in clusters too
    /// ([`Role::covers_in_clusters`]), so that nobody hands out more than they have. The answer names that rule, and is good for
    /// this role alone.
    ///
    /// # Errors
    /// [`Denial`]: without `access_rules:create`, with no role that may give this one, with the first permission that is
    /// missing, or with less in the cluster than the role gives there. A role that the index does not know may be given by nobody.
    pub fn may_grant(
        &self,
        principal: &Principal,
        role: RoleId,
        scope: Scope,
    ) -> Result<GrantedRole, Denial> {
        let create = Permission::new(Action::Create, Entity::AccessRules);
        let (Some(path), Some(given)) = (self.tree.path(scope), self.role(role)) else {
            return Err(self.denial(principal, create, scope));
        };
        let mut creating = self.reaching(principal, self.that_may(create), path).peekable();
        if creating.peek().is_none() {
            return Err(self.denial(principal, create, scope));
        }
        let gives = |slot| {
            let own = self.roles.get(slot);
            own.is_some_and(|own: &Role| own.may_give_in(role, scope))
        };
        let found = creating.find(|(_, grant)| gives(grant.role));
        let Some(reason) = found.and_then(|(through, grant)| self.reason(through, grant)) else {
            return Err(self.ungivable(principal, Ungivable::Kind(given.clone()), scope));
        };
        let missing = given.permissions().without(self.held_at(principal, scope));
        if let Some(permission) = missing.iter().next() {
            return Err(self.denial(principal, permission, scope));
        }
        if !self.covers_in_clusters(principal, given, path) {
            return Err(self.ungivable(principal, Ungivable::InClusters(given.clone()), scope));
        }
        let who = principal.subject.clone();
        let granted = Granted::by_rule(create.action, create.entity, scope, who, reason);
        Ok(GrantedRole::judged(granted.decided_at(self.version), role))
    }

    /// May the caller make this role, or make one what it says here (`action` of roles, in the account)? Nobody makes a role that allows
    /// more than they may do in the whole account, in clusters too: they could give it to themselves, or it is given already.
    ///
    /// # Errors
    /// [`Denial`] with what is missing.
    pub fn may_define(&self, principal: &Principal, action: Action, role: &Role) -> Result<Granted, Denial> {
        let scope = Scope::Account;
        let granted = self.decide(principal, action, Entity::Roles, scope)?;
        let missing = role.permissions().without(self.held_at(principal, scope));
        if let Some(permission) = missing.iter().next() {
            return Err(self.denial(principal, permission, scope));
        }
        match self.tree.path(scope) {
            Some(path) if self.covers_in_clusters(principal, role, path) => Ok(granted),
            _ => Err(self.ungivable(principal, Ungivable::InClusters(role.clone()), scope)),
        }
    }

    fn ungivable(&self, principal: &Principal, ungivable: Ungivable, scope: Scope) -> Denial {
        let create = Permission::new(Action::Create, Entity::AccessRules);
        let granters = self.nearest_granters(scope, Missing::Role(ungivable.role()));
        Denial {
            ungivable: Some(ungivable),
            granters,
            ..self.denial(principal, create, scope)
        }
    }

    /// Whether the caller may do in clusters, on the way to a scope, whatever `given` allows there.
    fn covers_in_clusters(&self, principal: &Principal, given: &Role, path: &Path) -> bool {
        given.in_clusters().is_none()
            || self
                .reaching(principal, Wanted::EVERY_ROLE, path)
                .filter_map(|(_, grant)| self.roles.get(grant.role))
                .any(|own| own.covers_in_clusters(given))
    }

    /// Everything the caller may do in a scope.
    pub fn held_at(&self, principal: &Principal, scope: Scope) -> PermissionSet {
        let Some(path) = self.tree.path(scope) else {
            return PermissionSet::NONE;
        };
        self.together(self.reaching(principal, Wanted::EVERY_ROLE, path))
    }

    fn together<'a>(&self, held: impl Iterator<Item = (Through<'a>, &'a Grant)>) -> PermissionSet {
        held.fold(PermissionSet::NONE, |all, (_, grant)| {
            all.union(self.roles.permissions_of(grant.role))
        })
    }

    /// Everything the caller may do in some scope or other: `GET /authorization/permissions`.
    pub fn held_anywhere(&self, principal: &Principal) -> PermissionSet {
        self.together(self.anywhere(principal, Wanted::EVERY_ROLE))
    }

    /// Everything the caller may do, scope by scope as granted: what-can. Complete, without a cap.
    pub fn what_can(&self, principal: &Principal) -> Vec<Reason> {
        self.anywhere(principal, Wanted::EVERY_ROLE)
            .filter_map(|(through, grant)| self.reason(through, grant))
            .collect()
    }

    /// Every rule by which anybody may do this, the nearest scope first, then by id: who-can. Complete, without a cap.
    pub fn who_can(&self, action: Action, entity: Entity, scope: Scope) -> Vec<Reason> {
        let wanted = self.that_may(Permission::new(action, entity));
        let found: Vec<(ScopeIndex, &Held)> = self
            .rules_on_path(scope)
            .filter(|(_, held)| wanted.has(held.role))
            .collect();
        let mut reasons = Vec::with_capacity(found.len());
        for some in found.chunks(TOGETHER) {
            for (_, held) in some {
                self.subjects.fetch_known(held.subject);
            }
            reasons.extend(some.iter().filter_map(|(at, held)| {
                Some(Reason {
                    rule: held.rule,
                    role: self.roles.get(held.role)?.clone(),
                    through: self.subjects.key(held.subject)?.clone(),
                    at: self.tree.scope(*at)?,
                })
            }));
        }
        reasons
    }

    /// Every rule that reaches a scope, from itself upwards, then by id.
    pub fn rules_reaching(&self, scope: Scope) -> Vec<Rule> {
        self.rules_on_path(scope)
            .filter_map(|(at, held)| self.rule_of(at, held))
            .collect()
    }

    fn rules_on_path(&self, scope: Scope) -> impl Iterator<Item = (ScopeIndex, &Held)> {
        let path = self
            .tree
            .path(scope)
            .into_iter()
            .flat_map(|path| path.iter().rev());
        path.filter_map(|at| Some((at, self.scopes.get(at.slot())?)))
            .flat_map(|(at, here)| here.rules.iter().map(move |held| (at, held)))
    }

    fn rule_of(&self, at: ScopeIndex, held: &Held) -> Option<Rule> {
        Some(Rule {
            id: held.rule,
            subject: self.subjects.key(held.subject)?.clone(),
            role: self.roles.get(held.role)?.id(),
            scope: self.tree.scope(at)?,
        })
    }

    /// Whether any rule of the caller's whose role gives something in clusters ([`Role::in_clusters`]) reaches the cluster or
    /// something in it: whether there is anything to do there with Kubernetes' own tools.
    pub fn reaches_cluster(&self, principal: &Principal, cluster: ClusterId) -> bool {
        self.has_rule(principal, cluster, |grant| {
            let role = self.roles.get(grant.role);
            role.is_some_and(|role| role.in_clusters().is_some())
        })
    }

    /// Whether any rule of the caller's, whatever its role, reaches the cluster or something in it.
    pub fn has_rule_in_cluster(&self, principal: &Principal, cluster: ClusterId) -> bool {
        self.has_rule(principal, cluster, |_| true)
    }

    fn has_rule(&self, principal: &Principal, cluster: ClusterId, counts: impl Fn(&Grant) -> bool) -> bool {
        let Some(cluster) = self.tree.at(Scope::Cluster(cluster)) else {
            return false;
        };
        self.subjects_of(principal, |_| true)
            .flat_map(|(_, grants)| grants.all())
            .any(|grant| counts(grant) && self.reaches(grant, cluster))
    }

    /// Those of the caller's groups that a rule names which reaches the cluster or something in it, whatever its role.
    pub fn groups_reaching<'a>(&'a self, principal: &'a Principal, cluster: ClusterId) -> Vec<&'a GroupName> {
        let Some(cluster) = self.tree.at(Scope::Cluster(cluster)) else {
            return Vec::new();
        };
        self.subjects_of(principal, |_| true)
            .filter_map(|(through, grants)| match through {
                Through::Group(name) => grants
                    .all()
                    .iter()
                    .any(|grant| self.reaches(grant, cluster))
                    .then_some(name),
                Through::Subject(_) => None,
            })
            .collect()
    }

    /// Whether it holds in the cluster, or in something of it.
    fn reaches(&self, grant: &Grant, cluster: ScopeIndex) -> bool {
        let path = self.tree.path_at(grant.at);
        grant.at == ScopeIndex::ROOT || path.is_some_and(|path| path.contains(cluster))
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
        let at = self.stored(id)?.at;
        let here = self.scopes.get(at.slot())?;
        self.rule_of(at, here.rules.get(here.place(id).ok()?)?)
    }

    /// Every rule, in no order.
    pub fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.rules.iter().filter_map(|stored| self.rule(stored.rule))
    }

    /// How many rules there are.
    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }
}
