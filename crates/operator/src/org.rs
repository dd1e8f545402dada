//! Projects and rules as the controllers see them: checked, indexed, and with what was done about them.
//!
//! Pure. Each change of a rule gets the next version; a pass over a project remembers the version it read. A rule is
//! effective when every project it reaches was passed over, without a problem, at its version or later.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use reeve_crds::{InvalidObject, desired};
use reeve_tenancy::rules::{RuleSet, reaches};
use reeve_types::{AccessRuleId, ProjectId};

/// A project that claims a namespace.
#[derive(Debug, Clone)]
pub struct Claimant {
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
pub enum Standing {
    /// Effective in this many projects.
    Effective,
    /// Not yet in this project.
    Waits(String),
    /// Something is in the way in this project.
    Blocked(String, String),
}

/// The index.
#[derive(Debug, Default)]
pub struct Org {
    projects: BTreeMap<String, Claimant>,
    ids: HashMap<ProjectId, String>,
    rules: RuleSet,
    versions: HashMap<AccessRuleId, u64>,
    version: u64,
    outcomes: HashMap<String, Outcome>,
}

impl Org {
    /// Takes a project's object in, or its end. Answers the namespaces that must be looked at.
    pub fn set_project(&mut self, name: &str, object: Option<&reeve_crds::Project>) -> Vec<String> {
        let old = match object {
            Some(object) => self.projects.insert(
                name.to_owned(),
                Claimant {
                    name: name.to_owned(),
                    namespace: object.spec.namespace.clone(),
                    created: object.creation_timestamp(),
                    checked: object.checked().map(Arc::new),
                },
            ),
            None => {
                self.outcomes.remove(name);
                self.projects.remove(name)
            }
        };
        if let Some(Ok(project)) = old.as_ref().map(|claimant| &claimant.checked)
            && self.ids.get(&project.id).is_some_and(|known| known == name)
        {
            self.ids.remove(&project.id);
        }
        if let Some(project) = self.project_named(name) {
            self.ids.insert(project.id, name.to_owned());
        }
        let mut namespaces: Vec<String> = old.into_iter().map(|claimant| claimant.namespace).collect();
        namespaces.extend(object.map(|object| object.spec.namespace.clone()));
        namespaces.dedup();
        namespaces
    }

    /// Takes a rule in: before and after, each when it is there and valid. Answers the namespaces that must be looked at.
    pub fn set_rule(
        &mut self,
        old: Option<&desired::AccessRule>,
        new: Option<desired::AccessRule>,
    ) -> Vec<String> {
        self.version += 1;
        let scopes: Vec<desired::Scope> = old
            .iter()
            .map(|r| r.scope)
            .chain(new.iter().map(|r| r.scope))
            .collect();
        if let Some(old) = old {
            self.rules.remove(old.id);
            self.versions.remove(&old.id);
        }
        if let Some(new) = new {
            self.versions.insert(new.id, self.version);
            self.rules.insert(new);
        }
        let reached = |project: &desired::Project| scopes.iter().any(|scope| reaches(*scope, project));
        self.valid()
            .filter(|(_, project)| reached(project))
            .map(|(claimant, _)| claimant.namespace.clone())
            .collect()
    }

    fn valid(&self) -> impl Iterator<Item = (&Claimant, &Arc<desired::Project>)> {
        self.projects
            .values()
            .filter_map(|claimant| Some((claimant, claimant.checked.as_ref().ok()?)))
    }

    /// The projects that claim a namespace; first the one whose it is: the one it is labelled for, else the oldest.
    pub fn claimants(&self, namespace: &str, labelled: Option<&str>) -> Vec<Claimant> {
        let mut all: Vec<Claimant> = self
            .projects
            .values()
            .filter(|c| c.namespace == namespace)
            .cloned()
            .collect();
        let key = |c: &Claimant| {
            (
                labelled != Some(c.name.as_str()),
                c.created.clone(),
                c.name.clone(),
            )
        };
        all.sort_by_key(key);
        all
    }

    /// Whether some project claims a namespace.
    pub fn is_claimed(&self, namespace: &str) -> bool {
        self.projects
            .values()
            .any(|claimant| claimant.namespace == namespace)
    }

    /// Every namespace that some project claims.
    pub fn namespaces(&self) -> Vec<String> {
        self.projects
            .values()
            .map(|claimant| claimant.namespace.clone())
            .collect()
    }

    /// The valid project with this id.
    pub fn project(&self, id: ProjectId) -> Option<Arc<desired::Project>> {
        self.project_named(self.ids.get(&id)?)
    }

    /// The valid project of this name.
    pub fn project_named(&self, name: &str) -> Option<Arc<desired::Project>> {
        self.projects
            .get(name)
            .and_then(|claimant| claimant.checked.clone().ok())
    }

    /// The rules that reach a project, and the version they are of.
    pub fn rules_of(&self, project: &desired::Project) -> (u64, Vec<desired::AccessRule>) {
        (self.version, self.rules.reaching(project).cloned().collect())
    }

    /// How the last pass over a project ended.
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.get(name)
    }

    /// Remembers how a pass over a project ended. Answers the rules whose standing may be another now.
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
    pub fn standing(&self, rule: &desired::AccessRule) -> Standing {
        let version = self.versions.get(&rule.id).copied().unwrap_or(u64::MAX);
        let mut waits = None;
        for (claimant, _) in self.valid().filter(|(_, project)| reaches(rule.scope, project)) {
            match self.outcomes.get(&claimant.name) {
                Some(Outcome {
                    problem: Some(problem),
                    ..
                }) => return Standing::Blocked(claimant.name.clone(), problem.clone()),
                Some(outcome) if outcome.version >= version => {}
                _ => waits = waits.or_else(|| Some(claimant.name.clone())),
            }
        }
        waits.map_or(Standing::Effective, Standing::Waits)
    }
}
