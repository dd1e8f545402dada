//! Projects and rules as the controllers see them: checked, indexed, and with what was done about them.
//!
//! Pure. **When is a rule effective?** A pass over a project reads all of its rules at once and binds what they say. So each
//! change of any rule gets the next version, a number of this process; a rule keeps the version of its own last change, and a
//! pass over a project remembers the version that the rules had when it read them. A rule is effective when every project it
//! reaches was passed over, without a problem, at the rule's version or later: then what it says is bound everywhere. A pass
//! that began before the change does not count, although it may end after it.
//!
//! **What it costs.** Claims are found by namespace, projects by scope: a change costs what it concerns, not what there is.

use std::collections::hash_map::{Entry, OccupiedEntry};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use reeve_crds::{InvalidObject, desired};
use reeve_tenancy::rules::RuleSet;
use reeve_types::{AccessRuleId, ProjectId};

/// A project that claims a namespace.
#[derive(Debug, Clone)]
pub struct NamespaceClaim {
    /// The name of its object.
    pub name: String,
    /// Its namespace, as the object says.
    pub namespace: String,
    /// When the object came.
    pub created: Option<Time>,
    /// The project, or what is wrong with the object.
    pub checked: Result<Arc<desired::Project>, InvalidObject>,
}

/// How the last pass over a project ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The version of the rules it read.
    pub version: u64,
    /// What was in the way.
    pub problem: Option<String>,
}

/// How a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleProgress {
    /// Effective in this many projects.
    Effective,
    /// Not yet in this project.
    Waits(String),
    /// Something is in the way in this project.
    Blocked(String, String),
}

/// The index.
#[derive(Debug, Default)]
pub struct ProjectIndex {
    projects: BTreeMap<String, NamespaceClaim>,
    ids: HashMap<ProjectId, String>,
    /// The names of the projects that claim each namespace.
    namespaces: HashMap<String, BTreeSet<String>>,
    /// The names of the valid projects that a rule of each scope reaches.
    reached: HashMap<desired::Scope, BTreeSet<String>>,
    rules: RuleSet,
    versions: HashMap<AccessRuleId, u64>,
    version: u64,
    outcomes: HashMap<String, Outcome>,
}

/// The scopes that reach a project: [`reeve_tenancy::rules::reaches`], turned round.
const fn scopes(project: &desired::Project) -> [desired::Scope; 3] {
    [
        desired::Scope::Cluster,
        desired::Scope::Department(project.department_id),
        desired::Scope::Project(project.id),
    ]
}

/// Takes a name out of a set of an index, and the set out when it is empty.
fn forget<K>(mut names: OccupiedEntry<'_, K, BTreeSet<String>>, name: &str) {
    names.get_mut().remove(name);
    if names.get().is_empty() {
        names.remove();
    }
}

impl ProjectIndex {
    /// Takes a project's object in, or its end. Answers the namespaces that must be looked at.
    pub fn set_project(&mut self, name: &str, object: Option<&reeve_crds::Project>) -> Vec<String> {
        let old = self.remove_claim(name);
        match object {
            Some(object) => self.insert_claim(NamespaceClaim {
                name: name.to_owned(),
                namespace: object.spec.namespace.clone(),
                created: object.creation_timestamp(),
                checked: object.checked().map(Arc::new),
            }),
            None => drop(self.outcomes.remove(name)),
        }
        let mut namespaces: Vec<String> = old.into_iter().map(|claim| claim.namespace).collect();
        namespaces.extend(object.map(|object| object.spec.namespace.clone()));
        namespaces.dedup();
        namespaces
    }

    fn insert_claim(&mut self, claim: NamespaceClaim) {
        let name = claim.name.clone();
        if let Ok(project) = &claim.checked {
            self.ids.insert(project.id, name.clone());
            for scope in scopes(project) {
                self.reached.entry(scope).or_default().insert(name.clone());
            }
        }
        self.namespaces
            .entry(claim.namespace.clone())
            .or_default()
            .insert(name.clone());
        self.projects.insert(name, claim);
    }

    fn remove_claim(&mut self, name: &str) -> Option<NamespaceClaim> {
        let claim = self.projects.remove(name)?;
        if let Entry::Occupied(names) = self.namespaces.entry(claim.namespace.clone()) {
            forget(names, name);
        }
        if let Ok(project) = &claim.checked {
            if self.ids.get(&project.id).is_some_and(|known| known == name) {
                self.ids.remove(&project.id);
            }
            for scope in scopes(project) {
                if let Entry::Occupied(names) = self.reached.entry(scope) {
                    forget(names, name);
                }
            }
        }
        Some(claim)
    }

    /// Takes a rule in: before and after, each when it is there and valid. Answers the namespaces that must be looked at.
    pub fn set_rule(
        &mut self,
        old: Option<&desired::AccessRule>,
        new: Option<desired::AccessRule>,
    ) -> Vec<String> {
        self.version += 1;
        let touched: BTreeSet<&String> = old
            .into_iter()
            .chain(&new)
            .filter_map(|rule| self.reached.get(&rule.scope))
            .flatten()
            .collect();
        let namespace = |name: &&String| Some(self.projects.get(*name)?.namespace.clone());
        let namespaces = touched.iter().filter_map(namespace).collect();
        if let Some(old) = old {
            self.rules.remove(old.id);
            self.versions.remove(&old.id);
        }
        if let Some(new) = new {
            self.versions.insert(new.id, self.version);
            self.rules.insert(new);
        }
        namespaces
    }

    /// The projects that claim a namespace; first the one whose it is: the one it is labelled for, else the oldest.
    pub fn claims(&self, namespace: &str, labelled: Option<&str>) -> Vec<NamespaceClaim> {
        let names = self.namespaces.get(namespace);
        let mut all: Vec<NamespaceClaim> = names
            .into_iter()
            .flatten()
            .filter_map(|name| self.projects.get(name))
            .cloned()
            .collect();
        all.sort_by_key(|claim| {
            (
                labelled != Some(claim.name.as_str()),
                claim.created.clone(),
                claim.name.clone(),
            )
        });
        all
    }

    /// Whether some project claims a namespace.
    pub fn is_claimed(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    /// Every namespace that some project claims, once each.
    pub fn namespaces(&self) -> Vec<String> {
        self.namespaces.keys().cloned().collect()
    }

    /// The valid project with this id.
    pub fn project(&self, id: ProjectId) -> Option<Arc<desired::Project>> {
        self.project_named(self.ids.get(&id)?)
    }

    /// The valid project of this name.
    pub fn project_named(&self, name: &str) -> Option<Arc<desired::Project>> {
        self.projects
            .get(name)
            .and_then(|claim| claim.checked.clone().ok())
    }

    /// The rules that reach a project, and the version they are of.
    pub fn rules_of(&self, project: &desired::Project) -> (u64, Vec<desired::AccessRule>) {
        (self.version, self.rules.reaching(project).cloned().collect())
    }

    /// How the last pass over a project ended.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.get(name)
    }

    /// Remembers how a pass over a project ended. Answers the rules whose progress may be another now.
    pub fn record(&mut self, project: &desired::Project, outcome: Outcome) -> Vec<AccessRuleId> {
        let since = match self.outcomes.get(project.name.as_str()) {
            Some(before) if before.problem == outcome.problem => Some(before.version),
            _ => None,
        };
        self.outcomes.insert(project.name.as_str().to_owned(), outcome);
        let newer = |id: &AccessRuleId| {
            since.is_none_or(|since| self.versions.get(id).is_some_and(|version| *version > since))
        };
        self.rules
            .reaching(project)
            .map(|rule| rule.id)
            .filter(newer)
            .collect()
    }

    /// How a rule stands in the projects it reaches.
    pub fn progress(&self, rule: &desired::AccessRule) -> RuleProgress {
        let version = self.versions.get(&rule.id).copied().unwrap_or(u64::MAX);
        let mut waits = None;
        for name in self.reached.get(&rule.scope).into_iter().flatten() {
            match self.outcomes.get(name) {
                Some(Outcome {
                    problem: Some(problem),
                    ..
                }) => return RuleProgress::Blocked(name.clone(), problem.clone()),
                Some(outcome) if outcome.version >= version => {}
                _ => waits = waits.or_else(|| Some(name.clone())),
            }
        }
        waits.map_or(RuleProgress::Effective, RuleProgress::Waits)
    }
}
