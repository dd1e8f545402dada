//! The index of projects and rules, kept up to date by their caches, and the news that come of it.
//!
//! Controllers wake each other through this: whoever records how a pass over a project ended knows nothing of who waits for
//! it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use reeve_admission::names;
use reeve_crds::{AccessRule, Project, desired};
use reeve_kube_kit::{Cache, Change, ObjectName, Queue, Subscribers};
use reeve_types::{AccessRuleId, ProjectId};

use crate::caches::Caches;
use crate::project_index::{NamespaceClaim, Outcome, ProjectIndex};

/// Projects and rules as the controllers share them.
#[derive(Debug)]
pub struct Projects {
    index: RwLock<ProjectIndex>,
    namespaces: Arc<Cache<Namespace>>,
    /// A namespace of which something else may be desired now.
    pub touched: Subscribers<String>,
    /// A rule whose progress may be another now.
    pub progressed: Subscribers<AccessRuleId>,
    /// A project whose namespace has just become usable: everything that lives there can be written.
    pub became_usable: Subscribers<Arc<desired::Project>>,
    /// A namespace whose project's pass ended for the first time, or otherwise than before.
    pub passed: Subscribers<String>,
}

impl Projects {
    /// The index of these caches. Made before the controllers, it hears of each change before they do.
    pub fn new(caches: &Caches) -> Arc<Self> {
        let projects = Arc::new(Self {
            index: RwLock::default(),
            namespaces: caches.namespaces.clone(),
            touched: Subscribers::default(),
            progressed: Subscribers::default(),
            became_usable: Subscribers::default(),
            passed: Subscribers::default(),
        });
        let index = projects.clone();
        caches
            .projects
            .subscribe(move |change| index.project_changed(change));
        let index = projects.clone();
        caches.rules.subscribe(move |change| index.rule_changed(change));
        projects
    }

    /// The index, to read.
    pub fn index(&self) -> RwLockReadGuard<'_, ProjectIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the namespace of every project into a queue.
    pub fn enqueue_all(&self, queue: &Queue<String>) {
        let namespaces = self.index().namespaces();
        namespaces.into_iter().for_each(|it| queue.add(it));
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, ProjectIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The projects that claim a namespace; first the one whose it is.
    pub fn claims(&self, namespace: &str) -> Vec<NamespaceClaim> {
        let object = self.namespaces.get(&ObjectName::cluster(namespace));
        let labelled = object
            .as_ref()
            .and_then(|object| object.labels().get(names::PROJECT));
        self.index().claims(namespace, labelled.map(String::as_str))
    }

    /// Whether a change of a namespace is one of a project's: it is labelled as one, or claimed by one.
    pub fn concerns(&self, change: &Change<Namespace>) -> bool {
        change.either(|namespace| namespace.labels().contains_key(names::PROJECT))
            || change
                .name()
                .is_some_and(|name| self.index().is_claimed(&name.name))
    }

    /// The namespaces of the projects that a namespace's labels name, or named before, where it is not theirs.
    pub fn named_by(&self, change: &Change<Namespace>) -> Vec<String> {
        let index = self.index();
        let mut found = Vec::new();
        for namespace in [&change.old, &change.new].into_iter().flatten() {
            let labels = [names::PROJECT, names::QUEUE].map(|key| namespace.labels().get(key));
            let projects = labels
                .into_iter()
                .flatten()
                .filter_map(|it| index.project_named(it));
            let elsewhere = projects.filter(|project| project.namespace != namespace.name_any());
            found.extend(elsewhere.map(|project| project.namespace.clone()));
        }
        found.sort();
        found.dedup();
        found
    }

    /// The namespace of a project in which the operator can already write.
    pub fn usable(&self, project: ProjectId) -> Option<String> {
        let index = self.index();
        let project = index.project(project)?;
        index
            .outcome(project.name.as_str())
            .filter(|outcome| outcome.problem.is_none())?;
        Some(project.namespace.clone())
    }

    /// Remembers how a pass over a project ended, and tells whoever waits for that.
    pub fn record(&self, project: &Arc<desired::Project>, outcome: Outcome) {
        let is_usable = |outcome: Option<&Outcome>| outcome.is_some_and(|it| it.problem.is_none());
        let (rules, became_usable, differs) = {
            let mut index = self.index_mut();
            let before = index.outcome(project.name.as_str()).cloned();
            let rules = index.record(project, outcome);
            let after = index.outcome(project.name.as_str());
            let became_usable = !is_usable(before.as_ref()) && is_usable(after);
            let problem = |of: Option<&Outcome>| of.map(|outcome| outcome.problem.clone());
            (rules, became_usable, problem(before.as_ref()) != problem(after))
        };
        rules.iter().for_each(|rule| self.progressed.tell(rule));
        if became_usable {
            self.became_usable.tell(project);
        }
        if differs {
            self.passed.tell(&project.namespace);
        }
    }

    fn project_changed(&self, change: &Change<Project>) {
        let Some(name) = change.name() else { return };
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && old.spec == new.spec
            && old.metadata.uid == new.metadata.uid
        {
            return;
        }
        let (namespaces, rules) = {
            let mut index = self.index_mut();
            let gone = index.project_named(&name.name).filter(|_| change.new.is_none());
            let namespaces = index.set_project(&name.name, change.new.as_deref());
            let rules = gone.map(|project| index.rules_of(&project).1);
            (namespaces, rules.unwrap_or_default())
        };
        namespaces
            .iter()
            .for_each(|namespace| self.touched.tell(namespace));
        rules.iter().for_each(|rule| self.progressed.tell(&rule.id));
    }

    fn rule_changed(&self, change: &Change<AccessRule>) {
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && old.spec == new.spec
        {
            return;
        }
        let checked = |object: &Option<Arc<AccessRule>>| object.as_ref().and_then(|it| it.checked().ok());
        let (old, new) = (checked(&change.old), checked(&change.new));
        let namespaces = self.index_mut().set_rule(old.as_ref(), new);
        namespaces
            .iter()
            .for_each(|namespace| self.touched.tell(namespace));
    }
}
