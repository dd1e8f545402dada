//! The controllers. Each module says what wakes it and what a pass of it looks at; what follows is decided in
//! [`reeve_serving::plan`].

mod artifact;
mod cache;
mod model;
mod service;
mod source;
mod template;

use std::sync::Arc;

use reeve_kube_kit::{Change, ObjectName, Queue, Registry};

use crate::shared::Shared;

/// How many passes of one controller are under way at once.
const PARALLEL: usize = 4;

/// Adds every controller.
pub fn add_all(registry: &mut Registry, shared: &Arc<Shared>) {
    registry.add(model::of_namespaces(shared));
    registry.add(model::of_cluster(shared));
    registry.add(template::of_namespaces(shared));
    registry.add(template::of_cluster(shared));
    registry.add(cache::controller(shared));
    registry.add(artifact::controller(shared));
    registry.add(service::controller(shared));
    registry.add(source::controller(shared));
}

/// Wakes the object itself.
fn itself<K: kube::ResourceExt>(queue: &Queue<ObjectName>, change: &Change<K>) {
    if let Some(name) = change.name() {
        queue.add(name);
    }
}

/// Wakes the owner of this kind.
fn owner<K: kube::ResourceExt>(kind: &'static str) -> impl Fn(&Queue<ObjectName>, &Change<K>) + Send + Sync {
    move |queue, change| {
        let Some(object) = change.latest() else { return };
        let namespace = object.namespace().unwrap_or_default();
        let owners = object
            .owner_references()
            .iter()
            .filter(|owner| owner.kind == kind);
        owners.for_each(|owner| queue.add(ObjectName::namespaced(namespace.clone(), owner.name.clone())));
    }
}

/// The name and namespace of what changed; the namespace is empty for objects of the cluster.
fn named<K: kube::ResourceExt>(change: &Change<K>) -> ObjectName {
    change.name().unwrap_or_else(|| ObjectName::cluster(""))
}

/// Whether an object that asks for this configuration, in this namespace, is concerned by a change of `changed`.
fn is_concerned(changed: &ObjectName, namespace: &str, asked: Option<&str>) -> bool {
    let same_place = changed.namespace.is_empty() || changed.namespace == namespace;
    same_place && reeve_serving::config::name(asked) == changed.name
}
