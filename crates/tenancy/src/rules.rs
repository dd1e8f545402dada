//! The access rules of a cluster, indexed by where they hold.

use std::collections::{BTreeMap, HashMap};

use reeve_crds::desired::{AccessRule, Project, Scope};
use reeve_types::{AccessRuleId, DepartmentId, ProjectId};

type Held = BTreeMap<AccessRuleId, AccessRule>;

/// Whether a rule of this scope reaches a project.
pub fn reaches(scope: Scope, project: &Project) -> bool {
    match scope {
        Scope::Cluster => true,
        Scope::Department(id) => id == project.department_id,
        Scope::Project(id) => id == project.id,
    }
}

/// Every rule of the cluster. Finding those that reach a project costs no more than their number.
#[derive(Debug, Default, Clone)]
pub struct RuleSet {
    scopes: HashMap<AccessRuleId, Scope>,
    cluster: Held,
    departments: HashMap<DepartmentId, Held>,
    projects: HashMap<ProjectId, Held>,
}

impl RuleSet {
    /// Adds a rule, or replaces the one with its id.
    pub fn insert(&mut self, rule: AccessRule) {
        self.remove(rule.id);
        self.scopes.insert(rule.id, rule.scope);
        let held = match rule.scope {
            Scope::Cluster => &mut self.cluster,
            Scope::Department(id) => self.departments.entry(id).or_default(),
            Scope::Project(id) => self.projects.entry(id).or_default(),
        };
        held.insert(rule.id, rule);
    }

    /// Removes the rule with this id; does nothing when there is none.
    pub fn remove(&mut self, rule: AccessRuleId) {
        match self.scopes.remove(&rule) {
            None => {}
            Some(Scope::Cluster) => {
                self.cluster.remove(&rule);
            }
            Some(Scope::Department(id)) => forget(&mut self.departments, id, rule),
            Some(Scope::Project(id)) => forget(&mut self.projects, id, rule),
        }
    }

    /// The rules that reach a project.
    pub fn reaching<'a>(&'a self, project: &Project) -> impl Iterator<Item = &'a AccessRule> + use<'a> {
        let departments = self.departments.get(&project.department_id);
        let projects = self.projects.get(&project.id);
        self.cluster
            .values()
            .chain(departments.into_iter().flatten().map(|(_, r)| r))
            .chain(projects.into_iter().flatten().map(|(_, r)| r))
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }
}

fn forget<K: std::hash::Hash + Eq>(held: &mut HashMap<K, Held>, key: K, rule: AccessRuleId) {
    if let Some(rules) = held.get_mut(&key) {
        rules.remove(&rule);
        if rules.is_empty() {
            held.remove(&key);
        }
    }
}
