//! What is read of a cluster.

use reeve_admission::TemplateKind;
pub(super) use reeve_admission::request::{list, text};
use serde_json::Value;

/// A kind that makes pods, or keeps what pods are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Its API group; empty for the core.
    pub group: &'static str,
    /// The version in which it is read.
    pub version: &'static str,
    /// Its name in paths.
    pub plural: &'static str,
}

/// Those that Kubernetes has. Owners come before what they own: marks are removed in this order.
const BUILT_IN: [Kind; 9] = [
    of("Deployment", "apps", "deployments"),
    of("StatefulSet", "apps", "statefulsets"),
    of("DaemonSet", "apps", "daemonsets"),
    of("CronJob", "batch", "cronjobs"),
    of("ReplicationController", "", "replicationcontrollers"),
    of("ReplicaSet", "apps", "replicasets"),
    of("Job", "batch", "jobs"),
    of("ControllerRevision", "apps", "controllerrevisions"),
    of("Pod", "", "pods"),
];

const fn of(name: &'static str, group: &'static str, plural: &'static str) -> Kind {
    Kind {
        name,
        group,
        version: "v1",
        plural,
    }
}

/// Every kind that is looked at, owners before what they own: those of others, of which admission has the table, and Kubernetes' own.
pub fn kinds() -> impl Iterator<Item = Kind> {
    let others = TemplateKind::ALL.into_iter().rev().map(|kind| Kind {
        name: kind.name(),
        group: kind.group(),
        version: kind.version(),
        plural: kind.plural(),
    });
    others.chain(BUILT_IN)
}

/// The kind of this name.
pub fn kind(name: &str) -> Option<Kind> {
    kinds().find(|kind| kind.name == name)
}

/// What is read of a cluster, each object as the API server gives it, with `kind` filled in.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The namespace.
    pub namespace: Value,
    /// Every `Project` of the cluster.
    pub projects: Vec<Value>,
    /// The project that was asked for by name.
    pub wanted: Option<String>,
    /// The `ReeveConfig`; without one everything is strict.
    pub config: Option<Value>,
    /// Everything of [`kinds`] in the namespace.
    pub objects: Vec<Value>,
    /// Its PersistentVolumeClaims.
    pub claims: Vec<Value>,
    /// Its RoleBindings.
    pub bindings: Vec<Value>,
}

impl Inventory {
    /// The namespace's name.
    pub fn name(&self) -> &str {
        text(&self.namespace, "/metadata/name")
    }
}

/// The members of the object at a pointer, none when there is none.
pub(super) fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// `Kind/name`.
pub(super) fn title(object: &Value) -> String {
    format!("{}/{}", text(object, "/kind"), text(object, "/metadata/name"))
}
