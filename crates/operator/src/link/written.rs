//! What the link wrote, and where it stands: names, fingerprints and revisions of its custom resources, the last batch.
//! Not their contents: ten thousand large workloads must not be held here.

use std::collections::{HashMap, HashSet};

use reeve_kube_kit::ObjectName;
use reeve_link::{ObjectKey, Resume};

use super::mirrored::Mirrored;
use super::record::{Record, Version, annotated};
use crate::fingerprint::Fingerprint;

/// An object that the cluster holds, cut to what is remembered of it.
#[derive(Debug)]
pub struct Listed {
    key: ObjectKey,
    record: Record,
    version: Version,
}

impl Listed {
    /// An object; `None` when it is somebody else's: what does not bear our annotation is left alone.
    pub fn of<K: Mirrored>(object: &K) -> Option<Self> {
        let record = Record {
            name: ObjectName::of(object),
            spec: object.fingerprint(),
            place: object.place(),
            revision: annotated(object)?,
        };
        Some(Self {
            key: object.key()?,
            record,
            version: Version::of(object),
        })
    }
}

/// An object as the watch shows it.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is called.
    pub name: ObjectName,
    /// Its version.
    pub version: Version,
    /// Whether it bears the annotation of what the link writes. What does not is somebody's own.
    pub annotated: bool,
    /// Its spec.
    pub spec: Fingerprint,
}

/// An object that the link wrote, and which version of it.
#[derive(Debug)]
pub struct Entry {
    record: Record,
    /// What the API server answered to the last write that it answered.
    version: Option<Version>,
    /// While a write is under way, the spec before it.
    before: Option<Fingerprint>,
}

impl Entry {
    /// What was written.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Whether this is neither what was written nor older than that.
    fn differs(&self, found: &Found) -> bool {
        let same = |ours: &Version| ours.uid == found.version.uid;
        if found.spec == self.record.spec && self.version.as_ref().is_none_or(same) {
            return false;
        }
        let older = |ours: &Version| found.version.number < ours.number;
        self.before.as_ref() != Some(&found.spec) && !self.version.as_ref().is_some_and(older)
    }
}

type Kind = std::mem::Discriminant<ObjectKey>;

/// All of them. A process that has just started believes nothing that it finds: it knows no position, and asks for
/// everything.
#[derive(Debug, Default)]
pub struct WrittenObjects {
    objects: HashMap<ObjectKey, Entry>,
    names: HashMap<(Kind, ObjectName), ObjectKey>,
    /// The uids of what was deleted, until the watch shows that it is gone.
    buried: HashSet<String>,
    position: Option<Resume>,
    loaded: bool,
    /// How often somebody else changed what was written, since the complete state was last compared with it.
    drifts: usize,
}

impl WrittenObjects {
    /// The object of this key.
    pub fn get(&self, key: ObjectKey) -> Option<&Record> {
        self.objects.get(&key).map(|entry| &entry.record)
    }

    /// Every key.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.objects.keys().copied().collect()
    }

    /// Another object than `key` of the same kind and name: it must go before that can come.
    pub fn in_the_way(&self, key: ObjectKey, name: &ObjectName) -> Option<ObjectKey> {
        self.names
            .get(&(std::mem::discriminant(&key), name.clone()))
            .copied()
            .filter(|other| *other != key)
    }

    /// Remembers an object that is about to be written: the watch may show it before the answer comes.
    pub fn set(&mut self, key: ObjectKey, record: Record) {
        let earlier = self.remove(key).filter(|entry| entry.record.name == record.name);
        let (before, version) =
            earlier.map_or((None, None), |entry| (Some(entry.record.spec), entry.version));
        self.put(
            key,
            Entry {
                record,
                version,
                before,
            },
        );
    }

    /// It was written: this is what the API server answered. Anything later that differs is somebody else's.
    pub fn written(&mut self, key: ObjectKey, version: Version) {
        if let Some(entry) = self.objects.get_mut(&key) {
            entry.version = Some(version);
            entry.before = None;
        }
    }

    fn put(&mut self, key: ObjectKey, entry: Entry) {
        self.names
            .insert((std::mem::discriminant(&key), entry.record.name.clone()), key);
        self.objects.insert(key, entry);
    }

    /// Forgets an object.
    pub fn remove(&mut self, key: ObjectKey) -> Option<Entry> {
        let entry = self.objects.remove(&key)?;
        let name = (std::mem::discriminant(&key), entry.record.name.clone());
        if self.names.get(&name) == Some(&key) {
            self.names.remove(&name);
        }
        Some(entry)
    }

    /// Forgets an object that is about to be deleted, save that old news of it is no surprise.
    pub fn bury(&mut self, key: ObjectKey) -> Option<Entry> {
        let entry = self.remove(key)?;
        self.buried
            .extend(entry.version.as_ref().map(|version| version.uid.clone()));
        Some(entry)
    }

    /// It could not be deleted.
    pub fn unbury(&mut self, key: ObjectKey, entry: Entry) {
        if let Some(version) = &entry.version {
            self.buried.remove(&version.uid);
        }
        self.put(key, entry);
    }

    /// Where to resume from: the last batch that this process applied whole. `None` asks for everything: there was none yet,
    /// something was refused, or somebody else changed what was written.
    pub fn resume(&self) -> Option<Resume> {
        self.position.filter(|_| !self.has_drifted())
    }

    /// The complete state came and is about to be compared with what is there, which shows whatever somebody else changed
    /// until now. From here on it counts again.
    pub const fn begin_complete(&mut self) {
        self.position = None;
        self.drifts = 0;
    }

    /// A batch was applied to its end, which is here; without a token there is nothing to resume from. Later changes alone do
    /// not make up for a position that was lost.
    pub const fn applied(&mut self, at: Option<Resume>, complete: bool) {
        if complete || self.position.is_some() {
            self.position = at;
        }
    }

    /// Not all that came was written: everything must be asked for again.
    pub const fn forget_position(&mut self) {
        self.position = None;
    }

    /// Somebody else changed what was written.
    pub const fn set_drifted(&mut self) {
        self.drifts = self.drifts.saturating_add(1);
    }

    /// Whether somebody else changed what was written, since the complete state was last compared with it.
    pub const fn has_drifted(&self) -> bool {
        self.drifts > 0
    }

    /// How often, since then.
    pub const fn drifts(&self) -> usize {
        self.drifts
    }

    /// Starts over from what the cluster holds. Of two with one id the one that is not where we wrote it counts: it goes when
    /// the other is written.
    pub fn reload(&mut self, listed: Vec<Listed>) {
        self.names.clear();
        let former = std::mem::take(&mut self.objects);
        for Listed { key, record, version } in listed {
            let is_where_we_wrote = former
                .get(&key)
                .is_some_and(|entry| entry.record.name == record.name);
            if is_where_we_wrote && self.objects.contains_key(&key) {
                continue;
            }
            self.remove(key);
            self.put(
                key,
                Entry {
                    record,
                    version: Some(version),
                    before: None,
                },
            );
        }
        self.loaded = true;
    }

    /// Takes a change that the watch shows: which version it showed before, and what is there now. True when it is somebody
    /// else's: what we wrote is changed or gone, or what we never wrote, or deleted, bears our annotation. Old news of our
    /// own writes and deletions is not, and before the complete state was compared nothing is.
    pub fn tell(&mut self, key: ObjectKey, before: Option<&Version>, now: Option<&Found>) -> bool {
        let drift = self.loaded
            && match (before, now) {
                (_, Some(found)) => self.is_strange(key, before, found),
                (Some(gone), None) => self.is_missed(key, gone),
                (None, None) => false,
            };
        if let Some(gone) = before.filter(|gone| now.is_none_or(|found| found.version.uid != gone.uid)) {
            self.buried.remove(&gone.uid);
        }
        drift
    }

    fn is_strange(&self, key: ObjectKey, before: Option<&Version>, found: &Found) -> bool {
        if self.buried.contains(&found.version.uid) {
            return false;
        }
        // Only a cluster that was restored from a backup goes back.
        let is_back = before.is_some_and(|before| found.version.number < before.number);
        match self.objects.get(&key) {
            Some(entry) if entry.record.name == found.name => is_back || entry.differs(found),
            _ => found.annotated,
        }
    }

    fn is_missed(&self, key: ObjectKey, gone: &Version) -> bool {
        let is_it = |ours: &Version| ours.uid == gone.uid;
        let wanted = |entry: &Entry| entry.version.as_ref().is_none_or(is_it);
        !self.buried.contains(&gone.uid) && self.objects.get(&key).is_some_and(wanted)
    }
}
