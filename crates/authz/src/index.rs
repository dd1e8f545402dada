//! The organization and the rules, arranged for questions.
//!
//! Rules hang on their subjects, by typed name, and name their scopes by small numbers whose ancestors are known: a
//! check probes once per subject of the caller. The same rules hang on their scopes, by id, for who-can and for removal.

mod by_place;
mod granters;
mod load;
mod query;
mod subjects;

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, ProjectId};

use crate::denial::GrantersByRole;
use crate::role::{Role, RoleId};
use crate::roles::{RoleSlot, Roles};
use crate::scope::Scope;
use crate::subject::{Rule, SubjectKey};
use crate::tree::{ScopeIndex, Tree};
use subjects::{Grant, SubjectIndex, Subjects};

/// Everything a decision depends on. Cheap to ask, cheap to change; cloning copies all of it.
#[derive(Clone, Debug)]
pub struct Index {
    roles: Arc<Roles>,
    tree: Arc<Tree>,
    subjects: Subjects,
    /// Every rule, by its id.
    rules: HashTable<Stored>,
    hasher: RandomState,
    /// By [`ScopeIndex`].
    scopes: Vec<AtScope>,
    version: Option<i64>,
}

/// Where a rule is to be found. Its role stands with its subject and with its scope.
#[derive(Clone, Copy, Debug)]
struct Stored {
    rule: AccessRuleId,
    subject: SubjectIndex,
    at: ScopeIndex,
}

/// A rule as its scope holds it.
#[derive(Clone, Copy, Debug)]
struct Held {
    rule: AccessRuleId,
    subject: SubjectIndex,
    role: RoleSlot,
}

/// What is still to be done for a rule that is counted.
#[derive(Clone, Copy, Debug)]
struct Counted {
    at: ScopeIndex,
    held: Held,
    /// For its subject, where that has other rules.
    more: Option<Grant>,
}

/// What hangs on a scope.
#[derive(Clone, Debug, Default)]
struct AtScope {
    /// By rule.
    rules: Vec<Held>,
    /// Whom a refusal names, by role.
    granters: Option<Arc<[GrantersByRole]>>,
}

impl AtScope {
    fn place(&self, rule: AccessRuleId) -> Result<usize, usize> {
        self.rules.binary_search_by_key(&rule, |held| held.rule)
    }

    fn add(&mut self, held: Held) {
        // Ids rise, so a new rule is nearly always the last: that is looked at first.
        let place = if self.rules.last().is_none_or(|last| last.rule < held.rule) {
            self.rules.len()
        } else {
            self.place(held.rule).unwrap_or_else(|place| place)
        };
        if self.rules.len() == self.rules.capacity() {
            // By an eighth instead of double, from a few on: memory a rule counts.
            self.rules.reserve_exact(self.rules.len().div_ceil(8).max(2));
        }
        self.rules.insert(place, held);
    }

    fn remove(&mut self, rule: AccessRuleId) {
        if let Ok(place) = self.place(rule) {
            self.rules.remove(place);
        }
        if self.rules.len() * 4 <= self.rules.capacity() {
            self.rules.shrink_to(self.rules.len() * 2);
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// An account without anything. It knows the predefined roles.
    pub fn new() -> Self {
        Self {
            roles: Roles::predefined(),
            tree: Arc::new(Tree::new()),
            subjects: Subjects::default(),
            rules: HashTable::new(),
            hasher: RandomState::default(),
            scopes: vec![AtScope::default()],
            version: None,
        }
    }

    /// Says which version of what it follows this is, as whoever keeps it counts them. Every [`crate::Granted`] from now on carries it.
    pub const fn set_version(&mut self, version: i64) {
        self.version = Some(version);
    }

    /// Adds a role that was made at run time, in place of one with the same id: from then on the rules that give it give what
    /// it says now. False where nothing changed because it is a predefined one.
    pub fn put_role(&mut self, role: Role) -> bool {
        if !role.is_custom() || Role::of(role.id()).is_some() {
            return false;
        }
        let Some(slot) = Arc::make_mut(&mut self.roles).put(role) else {
            return false;
        };
        self.find_granters(slot);
        true
    }

    /// Removes a role that was made at run time, and every rule that gives it. False where there is none with this id, and for
    /// a predefined one.
    pub fn remove_role(&mut self, id: RoleId) -> bool {
        let Some(slot) = self.roles.slot(id).filter(|_| Role::of(id).is_none()) else {
            return false;
        };
        let giving = |here: &AtScope| -> Vec<AccessRuleId> {
            let giving = here.rules.iter().filter(|held| held.role == slot);
            giving.map(|held| held.rule).collect()
        };
        let rules: Vec<AccessRuleId> = self.scopes.iter().flat_map(giving).collect();
        self.remove_rules(rules);
        Arc::make_mut(&mut self.roles).remove(id);
        true
    }

    /// The role with this id.
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.get(self.roles.slot(id)?)
    }

    /// Every role, the predefined ones first.
    pub fn roles(&self) -> impl Iterator<Item = &Role> + '_ {
        self.roles.iter()
    }

    /// Adds a cluster. False where nothing changed because it is there already.
    pub fn add_cluster(&mut self, id: ClusterId) -> bool {
        self.add_scope(Scope::Cluster(id), Scope::Account)
    }

    /// Adds a department. False where nothing changed: the cluster is unknown, or the department is there already.
    pub fn add_department(&mut self, id: DepartmentId, cluster: ClusterId) -> bool {
        self.add_scope(Scope::Department(id), Scope::Cluster(cluster))
    }

    /// Adds a project. False where nothing changed: the department is unknown, or the project is there already.
    pub fn add_project(&mut self, id: ProjectId, department: DepartmentId) -> bool {
        self.add_scope(Scope::Project(id), Scope::Department(department))
    }

    fn add_scope(&mut self, scope: Scope, parent: Scope) -> bool {
        let Some(at) = Arc::make_mut(&mut self.tree).add(scope, parent) else {
            return false;
        };
        if self.scopes.len() <= at.slot() {
            self.scopes.resize_with(at.slot() + 1, AtScope::default);
        }
        true
    }

    /// Removes a scope, everything below it and every rule on any of these. The account itself stays, empty.
    pub fn remove_scope(&mut self, scope: Scope) {
        let rules: Vec<AccessRuleId> = self
            .tree
            .below(scope)
            .into_iter()
            .filter_map(|at| self.scopes.get(at.slot()))
            .flat_map(|here| here.rules.iter().map(|held| held.rule))
            .collect();
        self.remove_rules(rules);
        Arc::make_mut(&mut self.tree).remove(scope);
    }

    /// The youngest first: each scope keeps its rules in the order of their ids, and takes the last one away at once.
    fn remove_rules(&mut self, mut rules: Vec<AccessRuleId>) {
        rules.sort_unstable();
        for rule in rules.into_iter().rev() {
            self.remove_rule(rule);
        }
    }

    /// Adds a rule, in place of one with the same id. False where the scope or the role is unknown: such a rule gives nobody
    /// anything and is not kept.
    pub fn add_rule(&mut self, rule: Rule) -> bool {
        self.remove_rule(rule.id);
        let Some(counted) = self.count_rule(rule) else {
            return false;
        };
        let Counted { at, held, more } = counted;
        if let Some(grant) = more {
            self.subjects.add(held.subject, grant);
        }
        if let Some(here) = self.scopes.get_mut(at.slot()) {
            here.add(held);
        }
        self.granter_came(at, held);
        true
    }

    /// Counts a rule of which nothing is kept yet. It does not hang on its scope, nor on a subject that has others. `None` where
    /// it cannot be added.
    fn count_rule(&mut self, rule: Rule) -> Option<Counted> {
        let Rule {
            id,
            subject,
            role,
            scope,
        } = rule;
        let (at, role) = (self.tree.at(scope)?, self.roles.slot(role)?);
        let grant = Grant { at, rule: id, role };
        let (subject, is_known) = self.subjects.intern(subject, grant)?;
        self.store(Stored {
            rule: id,
            subject,
            at,
        });
        let held = Held {
            rule: id,
            subject,
            role,
        };
        let more = is_known.then_some(grant);
        Some(Counted { at, held, more })
    }

    /// Removes a rule and hands it back; `None` where there is none with this id.
    pub fn remove_rule(&mut self, id: AccessRuleId) -> Option<Rule> {
        let entry = self
            .rules
            .find_entry(self.hasher.hash_one(id), |stored| stored.rule == id)
            .ok()?;
        let (Stored { subject, at, .. }, _) = entry.remove();
        let grant = self.subjects.grants(subject)?.of_rule(id, at)?;
        let subject = self.subjects.remove(subject, grant)?;
        let (role, scope) = (self.roles.get(grant.role)?.id(), self.tree.scope(at)?);
        if let Some(here) = self.scopes.get_mut(at.slot()) {
            here.remove(id);
        }
        self.granter_went(at, id, grant.role);
        Some(Rule {
            id,
            subject,
            role,
            scope,
        })
    }

    /// Keeps where a rule is to be found of which nothing is kept yet.
    fn store(&mut self, stored: Stored) {
        let (hash, hasher) = (self.hasher.hash_one(stored.rule), &self.hasher);
        self.rules
            .insert_unique(hash, stored, |stored| hasher.hash_one(stored.rule));
    }

    /// The same organization and roles, and of the rules those alone that name one of these subjects.
    pub(crate) fn of_subjects<'a>(&self, subjects: impl IntoIterator<Item = &'a SubjectKey>) -> Self {
        let mut small = Self {
            roles: Arc::clone(&self.roles),
            tree: Arc::clone(&self.tree),
            version: self.version,
            ..Self::new()
        };
        small.scopes.resize_with(self.scopes.len(), AtScope::default);
        for subject in subjects {
            let own = self.subjects.get(subject.kind(), subject.name(), |_| true);
            for grant in own.into_iter().flat_map(|own| own.all()) {
                let (Some(role), Some(scope)) = (self.roles.get(grant.role), self.tree.scope(grant.at))
                else {
                    continue;
                };
                small.add_rule(Rule {
                    id: grant.rule,
                    subject: subject.clone(),
                    role: role.id(),
                    scope,
                });
            }
        }
        small
    }

    /// The subjects of the rules that give a role, in no order and as often as they have such a rule.
    pub(crate) fn subjects_with(&self, role: RoleId) -> impl Iterator<Item = SubjectKey> + '_ {
        let slot = self.roles.slot(role);
        let rules = self.scopes.iter().flat_map(|here| &here.rules);
        rules
            .filter(move |held| Some(held.role) == slot)
            .filter_map(|held| self.subjects.key(held.subject).cloned())
    }

    fn stored(&self, id: AccessRuleId) -> Option<&Stored> {
        self.rules
            .find(self.hasher.hash_one(id), |stored| stored.rule == id)
    }
}
