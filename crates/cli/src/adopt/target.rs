//! Which project takes the namespace, and what is in its way.

use reeve_admission::names;
use reeve_types::names::is_reserved_namespace;
use serde::Serialize;
use serde_json::{Value, json};

use super::inventory::{Inventory, text};
use super::obstacle::Obstacle;

/// The project that takes the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its number in the control plane.
    pub id: String,
}

impl Target {
    fn of(project: &Value) -> Self {
        Self {
            name: text(project, "/metadata/name").to_owned(),
            id: text(project, "/spec/id").to_owned(),
        }
    }

    /// Whether the operator took the namespace for this project. The label alone may be older than any policy.
    pub(super) fn has(&self, namespace: &Value) -> bool {
        label(namespace, names::PROJECT) == Some(&self.name)
            && label(namespace, names::PROJECT_ID) == Some(&self.id)
    }

    /// The merge patch that hands the namespace over. The id is set only where another one is in the way: elsewhere the
    /// operator sets it.
    pub(super) fn labels(&self, namespace: &Value) -> Value {
        let mut labels = json!({ names::PROJECT: self.name });
        let other = label(namespace, names::PROJECT_ID).is_some_and(|id| id != self.id);
        if let (true, Some(map)) = (other, labels.as_object_mut()) {
            map.insert(names::PROJECT_ID.to_owned(), json!(self.id));
        }
        json!({ "metadata": { "labels": labels } })
    }
}

fn label<'a>(namespace: &'a Value, key: &str) -> Option<&'a str> {
    namespace.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The project that asks for the namespace.
pub(super) fn choose(inventory: &Inventory) -> Result<Target, Obstacle> {
    let name = inventory.name();
    let asks = |project: &&Value| text(project, "/spec/namespace") == name;
    let Some(wanted) = &inventory.wanted else {
        let mut all = inventory.projects.iter().filter(asks);
        return match (all.next(), all.next()) {
            (Some(project), None) => Ok(Target::of(project)),
            (None, _) => Err(Obstacle::new(
                format!("no project of this cluster asks for the namespace `{name}`"),
                format!(
                    "create the project at the control plane with \"requestedNamespace\": \"{name}\" (POST \
                     /api/v1/org-unit/projects), wait until `kubectl get projects.reeve.dev` shows it, and repeat"
                ),
            )),
            (Some(one), Some(two)) => {
                let (one, two) = (Target::of(one).name, Target::of(two).name);
                Err(Obstacle::new(
                    format!("several projects ask for the namespace `{name}`: `{one}`, `{two}`"),
                    "choose one with --project, and delete the others: a namespace has one project",
                ))
            }
        };
    };
    let project = inventory
        .projects
        .iter()
        .find(|p| text(p, "/metadata/name") == wanted);
    match project {
        Some(project) if asks(&project) => Ok(Target::of(project)),
        Some(project) => Err(Obstacle::new(
            format!(
                "project `{wanted}` has the namespace `{}`",
                text(project, "/spec/namespace")
            ),
            format!(
                "the namespace of a project cannot change: create another project with \"requestedNamespace\": \"{name}\""
            ),
        )),
        None => Err(Obstacle::new(
            format!("this cluster has no project `{wanted}`"),
            "look at `kubectl get projects.reeve.dev`",
        )),
    }
}

/// What is in the way whatever the namespace holds.
pub(super) fn obstacles(inventory: &Inventory, target: Option<&Target>) -> Vec<Obstacle> {
    let (namespace, name) = (&inventory.namespace, inventory.name());
    let mut found = Vec::new();
    if is_reserved_namespace(name) {
        found.push(Obstacle::new(
            format!("`{name}` is a namespace of the system and can never become a project (R11)"),
            "move what is to be a project's into another namespace",
        ));
    }
    if !text(namespace, "/metadata/deletionTimestamp").is_empty() {
        found.push(Obstacle::new(
            format!("namespace `{name}` is being deleted"),
            "wait until it is gone: the operator then makes it anew",
        ));
    }
    let owner = label(namespace, names::PROJECT).unwrap_or("");
    let lives = inventory
        .projects
        .iter()
        .any(|project| text(project, "/metadata/name") == owner && text(project, "/spec/namespace") == name);
    if let (true, Some(target)) = (lives, target.filter(|target| target.name != owner)) {
        found.push(Obstacle::new(
            format!("namespace `{name}` is project `{owner}`'s, which is still there"),
            format!(
                "delete project `{owner}` at the control plane before `{}` takes it over",
                target.name
            ),
        ));
    }
    found
}
