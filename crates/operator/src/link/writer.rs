//! Writes batches as custom resources: deletions first, then upserts, and only what differs. The complete state comes in
//! parts: what it does not name is removed when its rules, or all of it, have been named, and not before.
//!
//! A write that may succeed later ends the connection, and the next one resumes before it; so does the end of a rule or
//! project that fails for whatever reason, because it is a revocation. Anything else that is refused is reported as the
//! object's status and passed over: it must not hold up everybody else's revocations. What the schema refuses is refused
//! for good; for the rest everything is asked for again after a pause ([`DesiredStateWriter::retry_at`]). What lives in a
//! namespace that is not there yet waits aside, in memory, from one connection to the next.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::api::PropagationPolicy;
use reeve_kube_kit::WriteFailed;
use reeve_link::{Batch, DesiredObject, ObjectKey, Resume, StatusPhase, Versioned};
use reeve_types::{ErrorChain, ProjectId, Revision};
use tokio::time::Instant;

use super::Link;
use super::completing::Completing;
use super::kinds::{self, Kind};
use super::record::Record;
use super::retry::RetryPlan;

/// How long a batch waits altogether for namespaces that were asked for moments ago.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many bytes of objects wait in memory for their namespaces; more are asked for again.
const WAITING: usize = 16 << 20;

/// An object that waits for its project's namespace.
#[derive(Debug, Clone)]
struct Waiting {
    project: ProjectId,
    revision: Revision,
    object: DesiredObject,
}

/// Writes for one process.
#[derive(Debug)]
pub struct DesiredStateWriter {
    link: Arc<Link>,
    completing: Option<Completing>,
    waiting: BTreeMap<ObjectKey, Waiting>,
    refused: AtomicBool,
    retry: RetryPlan,
    patience_ends: Instant,
}

impl DesiredStateWriter {
    /// Nothing is written yet.
    pub fn new(link: Arc<Link>) -> Self {
        Self {
            link,
            completing: None,
            waiting: BTreeMap::new(),
            refused: AtomicBool::new(false),
            retry: RetryPlan::default(),
            patience_ends: Instant::now(),
        }
    }

    /// When everything is to be asked for again, because something was refused that may be allowed then.
    pub const fn retry_at(&self) -> Option<Instant> {
        self.retry.at()
    }

    /// It is being asked for.
    pub const fn asked_for_everything(&mut self) {
        self.retry.asked();
    }

    /// A connection begins: a complete state that an earlier one left in the middle starts anew.
    pub fn begin(&mut self) {
        self.completing = None;
    }

    /// Applies a batch, or a part of one.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn apply(&mut self, mut batch: Batch) -> Result<(), WriteFailed> {
        self.patience_ends = Instant::now() + PATIENCE;
        let mut deletes = std::mem::take(&mut batch.deletes);
        self.hand_over(&mut batch, &mut deletes);
        if batch.complete {
            deletes.extend(self.complete(&batch).await?);
        }
        self.delete_all(deletes).await?;
        let mut upserts = std::mem::take(&mut batch.upserts);
        upserts.sort_by_key(|upsert| kinds::of(upsert.object.key()).map(Kind::rank));
        for Versioned { revision, object } in upserts {
            self.upsert(object, revision).await?;
        }
        if batch.more {
            return Ok(());
        }
        let at = batch.token.map(|token| Resume {
            revision: batch.revision,
            token,
        });
        self.link.drift.written().applied(at, batch.complete);
        self.link.outbox.set_revision(batch.revision);
        if batch.complete {
            self.completing = None;
            // Whoever sends everything may know nothing of how it stands: its database may come from a backup.
            self.link.outbox.say_again();
        }
        self.plan_retry(batch.complete);
        Ok(())
    }

    /// Credentials become no custom resources, whose specs anybody reads: they go to their controller.
    fn hand_over(&self, batch: &mut Batch, deletes: &mut Vec<ObjectKey>) {
        let credentials = &self.link.credentials;
        if batch.complete && self.completing.is_none() {
            credentials.begin();
        }
        credentials.remove_of(deletes);
        for Versioned { revision, object } in std::mem::take(&mut batch.upserts) {
            match object {
                DesiredObject::Credential(credential) => credentials.put(credential),
                object => batch.upserts.push(Versioned { revision, object }),
            }
        }
        if batch.complete && !batch.more {
            credentials.end();
        }
    }

    /// A part of the complete state: what is to be removed with it.
    async fn complete(&mut self, part: &Batch) -> Result<Vec<ObjectKey>, WriteFailed> {
        if self.completing.is_none() {
            // What is there is compared with everything that comes: it must be what is there, not what was written.
            self.reload().await?;
        }
        let completing = self.completing.get_or_insert_default();
        let keys = self.link.drift.written().keys();
        let missing = completing.take(part, &keys);
        if !part.more {
            self.waiting.retain(|key, _| completing.names(*key));
        }
        Ok(missing)
    }

    fn plan_retry(&mut self, complete: bool) {
        if self.refused.swap(false, Ordering::Relaxed) {
            self.link.drift.written().forget_position();
            self.retry.refused(Instant::now());
        } else if complete {
            self.retry.granted();
        }
    }

    /// The cluster was deleted on the control plane: removes every access rule that the link wrote, and with them people's
    /// RoleBindings. Projects, namespaces and work stay.
    ///
    /// # Errors
    /// A write that failed: to be tried again.
    pub async fn unbind(&mut self) -> Result<(), WriteFailed> {
        self.waiting.clear();
        self.reload().await?;
        let mut keys = self.link.drift.written().keys();
        keys.retain(|key| kinds::of(*key).is_some_and(Kind::gives_rights));
        self.delete_all(keys).await
    }

    /// Asks the API server itself: its watch may be behind what this process wrote.
    async fn reload(&self) -> Result<(), WriteFailed> {
        // Before the lists: what somebody else changes from now on may or may not be in them.
        self.link.drift.written().begin_complete();
        let mut listed = Vec::new();
        for kind in kinds::ALL {
            listed.extend(kind.list(self.link.context.client.clone()).await?);
        }
        self.link.drift.written().reload(listed);
        Ok(())
    }

    /// Rules first, then workloads, then projects. The work of a project that goes stays behind: deleting a project ends
    /// rights, not work (DESIGN, decision 9).
    async fn delete_all(&mut self, mut keys: Vec<ObjectKey>) -> Result<(), WriteFailed> {
        keys.sort_unstable();
        keys.dedup();
        let projects: HashSet<String> = keys
            .iter()
            .filter(|key| matches!(key, ObjectKey::Project(_)))
            .map(ObjectKey::id)
            .collect();
        for key in keys {
            self.waiting.remove(&key);
            let leaves_work = self
                .link
                .drift
                .written()
                .get(key)
                .and_then(|record| kinds::of(key)?.work_of(record))
                .is_some_and(|project| projects.contains(project));
            let policy = if leaves_work {
                PropagationPolicy::Orphan
            } else {
                PropagationPolicy::Background
            };
            self.delete(key, policy).await?;
        }
        Ok(())
    }

    /// Writes what waited for namespaces that have come.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn place_waiting(&mut self) -> Result<(), WriteFailed> {
        let all: Vec<ObjectKey> = self.waiting.keys().copied().collect();
        for key in all {
            let Some(waiting) = self.waiting.get(&key) else {
                continue;
            };
            let Some(namespace) = self.link.projects.usable(waiting.project) else {
                continue;
            };
            let Waiting { revision, object, .. } = waiting.clone();
            if let Some(kind) = kinds::of(key) {
                self.write(kind, &object, revision, &namespace).await?;
            }
            self.waiting.remove(&key);
        }
        self.plan_retry(false);
        Ok(())
    }

    async fn upsert(&mut self, object: DesiredObject, revision: Revision) -> Result<(), WriteFailed> {
        let Some(kind) = kinds::of(object.key()) else {
            // Handed over already.
            return Ok(());
        };
        match kind.home(&object) {
            None => self.write(kind, &object, revision, "").await,
            Some(project) => {
                let waiting = Waiting {
                    project,
                    revision,
                    object,
                };
                self.place(kind, waiting).await
            }
        }
    }

    /// Writes an object into its project's namespace, or lays it aside until that can be written to.
    async fn place(&mut self, kind: &dyn Kind, waiting: Waiting) -> Result<(), WriteFailed> {
        let (key, project) = (waiting.object.key(), waiting.project);
        self.waiting.remove(&key);
        if self.is_there(kind, &waiting) {
            return Ok(());
        }
        let is_awaited = self.waiting.values().any(|other| other.project == project);
        let namespace = match self.link.projects.usable(project) {
            None if !is_awaited => self.wait_for(project).await,
            found => found,
        };
        if let Some(namespace) = namespace {
            return self
                .write(kind, &waiting.object, waiting.revision, &namespace)
                .await;
        }
        self.link.outbox.set(
            key,
            StatusPhase::Creating,
            "its project's namespace is not ready yet",
        );
        let size = |it: &Waiting| kinds::of(it.object.key()).map_or(0, |kind| kind.size(&it.object));
        let held: usize = self.waiting.values().map(size).sum();
        if held + size(&waiting) > WAITING {
            // Asked for again, with everything: that many are not held.
            self.refused.store(true, Ordering::Relaxed);
        } else {
            self.waiting.insert(key, waiting);
        }
        Ok(())
    }

    /// Whether nothing is to be written, wherever its project stands: after a restart nothing has been said of that yet.
    fn is_there(&self, kind: &dyn Kind, wanted: &Waiting) -> bool {
        let written = self.link.drift.written();
        written.get(wanted.object.key()).is_some_and(|record| {
            let there = kind.record(&wanted.object, &record.name.namespace, wanted.revision);
            there.as_ref() == Some(record)
        })
    }

    async fn wait_for(&self, project: ProjectId) -> Option<String> {
        let polling = async {
            loop {
                if let Some(namespace) = self.link.projects.usable(project) {
                    return namespace;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout_at(self.patience_ends, polling).await.ok()
    }

    /// Deletes what has to go before an object can be written: itself, where a field that cannot change would, and another
    /// object that bears its name.
    async fn make_way(&self, kind: &dyn Kind, key: ObjectKey, record: &Record) -> Result<(), WriteFailed> {
        let (must_go, in_the_way) = {
            let written = self.link.drift.written();
            let must_go = written
                .get(key)
                .is_some_and(|before| kind.must_be_replaced(before, record));
            (must_go, written.in_the_way(key, &record.name))
        };
        for other in must_go.then_some(key).into_iter().chain(in_the_way) {
            self.delete(other, PropagationPolicy::Background).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        kind: &dyn Kind,
        object: &DesiredObject,
        revision: Revision,
        namespace: &str,
    ) -> Result<(), WriteFailed> {
        let key = object.key();
        let Some(record) = kind.record(object, namespace, revision) else {
            tracing::error!(key = ?key, "a desired object that its kind does not know");
            return Ok(());
        };
        self.make_way(kind, key, &record).await?;
        let before = self.link.drift.written().get(key).cloned();
        if before.as_ref() == Some(&record) {
            return Ok(());
        }
        self.link.outbox.set_first(key, StatusPhase::Creating);
        // Before the write, so that the watch's news of it is no surprise.
        self.link.drift.written().set(key, record.clone());
        let client = self.link.context.client.clone();
        match kind.write(client, self.link.writes, object, &record).await {
            Ok(version) => {
                let mut written = self.link.drift.written();
                version
                    .into_iter()
                    .for_each(|version| written.written(key, version));
                Ok(())
            }
            Err(failed) => {
                let mut written = self.link.drift.written();
                match before {
                    Some(before) => written.set(key, before),
                    None => drop(written.remove(key)),
                }
                drop(written);
                self.refused(key, failed)
            }
        }
    }

    /// What may succeed later is the caller's error; what will not is the object's status.
    fn refused(&self, key: ObjectKey, failed: WriteFailed) -> Result<(), WriteFailed> {
        let status = failed.source.status();
        if failed.is_transient() && !is_about_the_object(status) {
            return Err(failed);
        }
        let why = ErrorChain(&failed).to_string();
        tracing::error!(key = ?key, error = why, "desired object refused");
        self.link.outbox.set(key, StatusPhase::NotReady, &why);
        // Rights and policies may change; what the schema refuses it will refuse again.
        if !matches!(status, Some(400 | 422)) {
            self.refused.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn delete(&self, key: ObjectKey, policy: PropagationPolicy) -> Result<(), WriteFailed> {
        // Before the deletion, so that the watch's news of it is no surprise.
        let entry = self.link.drift.written().bury(key);
        if let Some((kind, entry)) = kinds::of(key).zip(entry) {
            let client = self.link.context.client.clone();
            let deleted = kind
                .delete(client, self.link.writes, &entry.record().name, policy)
                .await;
            if let Err(failed) = deleted {
                self.link.drift.written().unbury(key, entry);
                return if kind.ends_rights() {
                    Err(failed)
                } else {
                    self.refused(key, failed)
                };
            }
        }
        self.link.outbox.set(key, StatusPhase::Deleted, "");
        Ok(())
    }
}

/// Whether an answer that may be another next time is nevertheless about this object alone: a conflict, a webhook that fails
/// on it, a size that the API server's store does not take. It must not hold up the others.
const fn is_about_the_object(status: Option<u16>) -> bool {
    matches!(status, Some(409 | 500))
}
