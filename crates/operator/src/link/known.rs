//! What the link wrote, and where it stands: names, contents and revisions of its custom resources, the last batch.

use std::collections::HashMap;

use kube::{Resource, ResourceExt};
use reeve_crds::{AccessRule, Project, REVISION_ANNOTATION, Workload};
use reeve_kube_kit::{Change, Name};
use reeve_link::{ObjectKey, Resume};
use reeve_types::{AccessRuleId, Revision};
use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// One object the link wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is called in the cluster.
    pub name: Name,
    /// Its spec.
    pub spec: Value,
    /// The revision that last changed it, as its annotation says.
    pub revision: Revision,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    /// The spec before the last write: the watch may still tell of it.
    before: Option<Value>,
}

type Kind = std::mem::Discriminant<ObjectKey>;

/// All of them. A process that has just started believes nothing that it finds: it knows no position, and asks for
/// everything.
#[derive(Debug, Default)]
pub struct Known {
    objects: HashMap<ObjectKey, Entry>,
    names: HashMap<(Kind, Name), ObjectKey>,
    position: Option<Resume>,
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

    /// Where to resume from: the last batch that this process applied whole. `None` asks for everything: there was none yet,
    /// something was refused, or somebody else changed what was written.
    pub fn resume(&self) -> Option<Resume> {
        self.position.filter(|_| !self.drifted)
    }

    /// The complete state came and is about to be compared with what is there, which shows whatever somebody else changed
    /// until now. From here on it counts again.
    pub const fn begin_complete(&mut self) {
        self.position = None;
        self.drifted = false;
    }

    /// A batch was applied to its end. Later changes alone do not make up for a position that was lost.
    pub const fn applied(&mut self, at: Resume, complete: bool) {
        if complete || self.position.is_some() {
            self.position = Some(at);
        }
    }

    /// Not all that came was written: everything must be asked for again.
    pub const fn forget_position(&mut self) {
        self.position = None;
    }

    /// Somebody else changed what was written.
    pub const fn set_drifted(&mut self) {
        self.drifted = true;
    }

    /// Whether somebody else changed what was written, since the complete state was last compared with it.
    pub const fn has_drifted(&self) -> bool {
        self.drifted
    }

    /// Starts over from what the cluster holds.
    pub fn reload(&mut self, projects: Vec<Project>, rules: Vec<AccessRule>, workloads: Vec<Workload>) {
        self.objects.clear();
        self.names.clear();
        for object in projects {
            let key = object.spec.id.parse().ok().map(ObjectKey::Project);
            self.load(&object, key, &object.spec);
        }
        for object in rules {
            let key = AccessRuleId::new(object.spec.id).map(ObjectKey::AccessRule);
            self.load(&object, key, &object.spec);
        }
        for object in workloads {
            let key = object.spec.id.parse().ok().map(ObjectKey::Workload);
            self.load(&object, key, &object.spec);
        }
    }

    /// Objects without our annotation are somebody else's: they are left alone.
    fn load<K: Resource>(&mut self, object: &K, key: Option<ObjectKey>, spec: &impl Serialize) {
        if let (Some(key), Some(revision), Ok(spec)) = (key, annotated(object), serde_json::to_value(spec)) {
            self.set(
                key,
                Record {
                    name: Name::of(object),
                    spec,
                    revision,
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

/// The revision in the annotation.
fn annotated<K: ResourceExt>(object: &K) -> Option<Revision> {
    object
        .annotations()
        .get(REVISION_ANNOTATION)?
        .parse()
        .ok()
        .map(Revision)
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
    let revision = annotated(&**object).unwrap_or(Revision(u64::MAX));
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
        known.set_drifted();
        world.drift.notify_one();
    }
}
