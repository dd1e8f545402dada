//! The organization and the rules, arranged for questions.
//!
//! Rules hang on their subjects, by typed name, and name their scopes by small numbers whose ancestors are known: a
//! check probes once per subject of the caller. The same rules hang on their scopes, by id, for who-can and for removal.

mod query;
mod subjects;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use reeve_types::{AccessRuleId, ClusterId, DepartmentId, ProjectId};

use crate::denial::Granters;
use crate::role::Role;
use crate::scope::Scope;
use crate::subject::{Rule, SubjectKey};
use crate::tree::{At, Tree};
use subjects::{Grant, Subjects, Who};

/// Everything a decision depends on. Cheap to ask, cheap to change; cloning copies all of it.
#[derive(Clone, Debug)]
pub struct Index {
    tree: Arc<Tree>,
    subjects: Subjects,
    rules: HashMap<AccessRuleId, Stored, RandomState>,
    /// By [`At`].
    scopes: Vec<AtScope>,
}

#[derive(Clone, Copy, Debug)]
struct Stored {
    subject: Who,
    role: Role,
    at: At,
}

/// What hangs on a scope.
#[derive(Clone, Debug, Default)]
struct AtScope {
    rules: BTreeSet<AccessRuleId>,
    /// Those that let their subjects create access rules here.
    granters: BTreeSet<AccessRuleId>,
    /// The subjects of the oldest of them, each once, ready to be named in a refusal.
    named: Option<Named>,
}

#[derive(Clone, Debug)]
struct Named {
    who: Arc<[SubjectKey]>,
    /// Later rules change nothing; `None` while there is room for more names.
    full_at: Option<AccessRuleId>,
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// An account without anything.
    pub fn new() -> Self {
        Self {
            tree: Arc::new(Tree::new()),
            subjects: Subjects::default(),
            rules: HashMap::default(),
            scopes: vec![AtScope::default()],
        }
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
            .flat_map(|here| here.rules.iter().copied())
            .collect();
        for rule in rules {
            self.remove_rule(rule);
        }
        Arc::make_mut(&mut self.tree).remove(scope);
    }

    /// Adds a rule, in place of one with the same id. False where the scope is unknown: such a rule gives nobody
    /// anything and is not kept.
    pub fn add_rule(&mut self, rule: Rule) -> bool {
        let Rule {
            id,
            subject,
            role,
            scope,
        } = rule;
        self.remove_rule(id);
        let Some(at) = self.tree.at(scope) else {
            return false;
        };
        let Some(subject) = self.subjects.add(subject, Grant { at, rule: id, role }) else {
            return false;
        };
        self.rules.insert(id, Stored { subject, role, at });
        let Some(here) = self.scopes.get_mut(at.slot()) else {
            return false;
        };
        here.rules.insert(id);
        if role.grants() {
            here.granters.insert(id);
            self.name_granters(at, id);
        }
        true
    }

    /// Removes a rule and hands it back; `None` where there is none with this id.
    pub fn remove_rule(&mut self, id: AccessRuleId) -> Option<Rule> {
        let Stored { subject, role, at } = self.rules.remove(&id)?;
        let subject = self.subjects.remove(subject, Grant { at, rule: id, role })?;
        let scope = self.tree.scope(at)?;
        if let Some(here) = self.scopes.get_mut(at.slot()) {
            here.rules.remove(&id);
            if here.granters.remove(&id) {
                self.name_granters(at, id);
            }
        }
        Some(Rule {
            id,
            subject,
            role,
            scope,
        })
    }

    /// Finds again whom a refusal names, after the granting rule `changed` came or went.
    fn name_granters(&mut self, at: At, changed: AccessRuleId) {
        let Some(here) = self.scopes.get_mut(at.slot()) else {
            return;
        };
        if here
            .named
            .as_ref()
            .and_then(|named| named.full_at)
            .is_some_and(|last| last < changed)
        {
            return;
        }
        let mut who: Vec<SubjectKey> = Vec::new();
        let mut full_at = None;
        for id in &here.granters {
            let subject = self
                .rules
                .get(id)
                .and_then(|stored| self.subjects.key(stored.subject));
            let Some(subject) = subject.filter(|subject| !who.contains(subject)) else {
                continue;
            };
            who.push(subject.clone());
            if who.len() == Granters::NAMED {
                full_at = Some(*id);
                break;
            }
        }
        here.named = (!who.is_empty()).then(|| Named {
            who: who.into(),
            full_at,
        });
    }
}
