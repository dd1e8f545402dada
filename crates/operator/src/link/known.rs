//! What the link wrote: names, contents and revisions of its custom resources.

use std::borrow::Borrow;
use std::collections::HashMap;

use kube::{Resource, ResourceExt};
use reeve_crds::{AccessRule, Project, REVISION_ANNOTATION, Workload};
use reeve_kube_kit::{Change, Name};
use reeve_link::{Batch, ObjectKey};
use reeve_types::{AccessRuleId, Revision};
use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// On a project: a workload of it, at this revision or later, waits for the namespace. A restart resumes before it.
pub const WAITS_ANNOTATION: &str = "reeve.dev/waits-since-revision";

/// One object the link wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is called in the cluster.
    pub name: Name,
    /// Its spec.
    pub spec: Value,
    /// The revision its annotation bears: of the objects that one revision changed, only the last bears it, the others
    /// the one before, so that a resume after a cut asks for all of them again.
    pub revision: Revision,
    /// Of a project: see [`WAITS_ANNOTATION`].
    pub waits: Option<Revision>,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    /// The spec before the last write: the watch may still tell of it.
    before: Option<Value>,
}

type Kind = std::mem::Discriminant<ObjectKey>;

/// All of them.
#[derive(Debug, Default)]
pub struct Known {
    objects: HashMap<ObjectKey, Entry>,
    names: HashMap<(Kind, Name), ObjectKey>,
    applied: Revision,
    drifted: bool,
}

impl Known {
    /// The object of this key.
    pub fn get(&self, key: ObjectKey) -> Option<&Record> {
        self.objects.get(&key).map(|entry| &entry.record)
    }

    /// Every key.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.objects.keys().copied().collect()
    }

    /// Another object than `key` of the same kind and name: it must go before that can come.
    pub fn in_the_way(&self, key: ObjectKey, name: &Name) -> Option<ObjectKey> {
        self.names
            .get(&(std::mem::discriminant(&key), name.clone()))
            .copied()
            .filter(|other| *other != key)
    }

    /// Remembers an object.
    pub fn set(&mut self, key: ObjectKey, record: Record) {
        let before = self.remove(key).map(|record| record.spec);
        self.names
            .insert((std::mem::discriminant(&key), record.name.clone()), key);
        self.objects.insert(key, Entry { record, before });
    }

    /// Forgets an object.
    pub fn remove(&mut self, key: ObjectKey) -> Option<Record> {
        let record = self.objects.remove(&key)?.record;
        let name = (std::mem::discriminant(&key), record.name.clone());
        if self.names.get(&name) == Some(&key) {
            self.names.remove(&name);
        }
        Some(record)
    }

    /// Where to resume from: the greatest revision that was applied (a process that just started knows that of what it
    /// finds), or before the first that waits; `None` asks for everything: nothing is there yet, or somebody else changed
    /// what is.
    pub fn resume_from(&self) -> Option<Revision> {
        if self.drifted {
            return None;
        }
        let greatest = self
            .objects
            .values()
            .map(|entry| entry.record.revision)
            .max()?
            .max(self.applied);
        let waits = self.objects.values().filter_map(|entry| entry.record.waits).min();
        Some(waits.map_or(greatest, |first| {
            greatest.min(Revision(first.0.saturating_sub(1)))
        }))
    }

    /// A batch was applied to its end.
    pub fn applied(&mut self, batch: &Batch) {
        self.applied = batch.revision;
        if batch.complete {
            self.drifted = false;
        }
    }

    /// Everything must be asked for again.
    pub fn forget_position(&mut self) {
        self.drifted = true;
    }

    /// Starts over from what the cluster holds.
    pub fn reload(
        &mut self,
        projects: impl IntoIterator<Item = impl Borrow<Project>>,
        rules: impl IntoIterator<Item = impl Borrow<AccessRule>>,
        workloads: impl IntoIterator<Item = impl Borrow<Workload>>,
    ) {
        self.objects.clear();
        self.names.clear();
        for object in projects {
            let object = object.borrow();
            self.load(
                object,
                object.spec.id.parse().ok().map(ObjectKey::Project),
                &object.spec,
            );
        }
        for object in rules {
            let object = object.borrow();
            self.load(
                object,
                AccessRuleId::new(object.spec.id).map(ObjectKey::AccessRule),
                &object.spec,
            );
        }
        for object in workloads {
            let object = object.borrow();
            self.load(
                object,
                object.spec.id.parse().ok().map(ObjectKey::Workload),
                &object.spec,
            );
        }
    }

    /// Objects without our annotation are somebody else's: they are left alone.
    fn load<K: Resource>(&mut self, object: &K, key: Option<ObjectKey>, spec: &impl Serialize) {
        if let (Some(key), Some(revision), Ok(spec)) = (
            key,
            annotated(object, REVISION_ANNOTATION),
            serde_json::to_value(spec),
        ) {
            let waits = annotated(object, WAITS_ANNOTATION);
            self.set(
                key,
                Record {
                    name: Name::of(object),
                    spec,
                    revision,
                    waits,
                },
            );
        }
    }

    /// Whether a change that the watch shows is somebody else's. Old news of our own writes is not.
    pub fn is_drift(&self, key: ObjectKey, revision: Revision, spec: Option<&Value>) -> bool {
        self.objects.get(&key).is_some_and(|Entry { record, before }| {
            let ours = spec.is_some() && (spec == Some(&record.spec) || spec == before.as_ref());
            revision >= record.revision && !ours
        })
    }
}

/// A revision in an annotation.
fn annotated<K: ResourceExt>(object: &K, annotation: &str) -> Option<Revision> {
    object.annotations().get(annotation)?.parse().ok().map(Revision)
}

/// Notices when somebody else deletes or edits what the link wrote: the next connection then asks for everything.
pub fn watch_drift<K: Resource, S: Serialize>(
    world: &World,
    change: &Change<K>,
    key: impl Fn(&K) -> Option<ObjectKey>,
    spec: impl Fn(&K) -> &S,
) {
    let Some(object) = change.new.as_ref().or(change.old.as_ref()) else {
        return;
    };
    let Some(key) = key(object) else { return };
    let revision = annotated(&**object, REVISION_ANNOTATION).unwrap_or(Revision(u64::MAX));
    let spec = change
        .new
        .as_ref()
        .and_then(|new| serde_json::to_value(spec(new)).ok());
    let mut known = world.known();
    if known.is_drift(key, revision, spec.as_ref()) {
        tracing::warn!(
            object = object.name_any(),
            "somebody else changed what the link wrote; asking for everything"
        );
        known.forget_position();
        world.drift.notify_one();
    }
}
