//! Writes batches as custom resources: deletions first, then upserts, and only what differs. The complete state comes in
//! parts: what it does not name is removed when its rules, or all of it, have been named, and not before.
//!
//! A write that may succeed later ends the connection, and the next one resumes before it; so does the end of a rule or
//! project that fails for whatever reason, because it is a revocation. Anything else that is refused is reported as the
//! object's status and passed over: it must not hold up everybody else's revocations. What the schema refuses is refused
//! for good; for the rest everything is asked for again after a pause ([`Mirror::retry_at`]). A workload whose namespace is
//! not there yet waits aside, in memory, from one connection to the next.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::api::PropagationPolicy;
use kube::{Api, Resource};
use reeve_crds::{AccessRule, Project, Workload};
use reeve_kube_kit::Name;
use reeve_kube_kit::apply::{WriteFailed, apply};
use reeve_kube_kit::error::{chain, is_transient};
use reeve_link::{Batch, DesiredObject, ObjectKey, Resume, StatusPhase, Versioned, desired};
use reeve_types::{HistoryId, ProjectId, Revision, WorkloadId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::completing::Completing;
use super::fingerprint::Fingerprint;
use super::known::{Listed, Record, Version};
use super::resources::{annotate, delete, each, rank};
use super::retry::Retry;
use crate::LINK_MANAGER;
use crate::world::World;

/// How long a batch waits altogether for namespaces that were asked for moments ago.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many bytes of workloads wait in memory for their namespaces; more are asked for again.
const WAITING: usize = 16 << 20;

/// Writes for one process.
#[derive(Debug)]
pub struct Mirror {
    world: Arc<World>,
    completing: Option<Completing>,
    waiting: BTreeMap<WorkloadId, (Revision, desired::Workload)>,
    refused: AtomicBool,
    retry: Retry,
    patience_ends: Instant,
}

impl Mirror {
    /// Nothing is written yet.
    pub fn new(world: Arc<World>) -> Self {
        Self {
            world,
            completing: None,
            waiting: BTreeMap::new(),
            refused: AtomicBool::new(false),
            retry: Retry::default(),
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

    /// Applies a batch of a history, or a part of one.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn apply(&mut self, mut batch: Batch, history: HistoryId) -> Result<(), WriteFailed> {
        self.patience_ends = Instant::now() + PATIENCE;
        let mut deletes = std::mem::take(&mut batch.deletes);
        if batch.complete {
            deletes.extend(self.complete(&batch).await?);
        }
        self.delete_all(deletes).await?;
        let mut upserts = std::mem::take(&mut batch.upserts);
        upserts.sort_by_key(|upsert| rank(&upsert.object));
        for Versioned { revision, object } in upserts {
            match object {
                DesiredObject::Project(project) => self.project(&project, revision).await?,
                DesiredObject::AccessRule(rule) => self.rule(&rule, revision).await?,
                DesiredObject::Workload(workload) => self.workload(workload, revision).await?,
            }
        }
        if batch.more {
            return Ok(());
        }
        let at = Resume {
            history,
            revision: batch.revision,
        };
        self.world.known().applied(at, batch.complete);
        self.world.board.set_revision(batch.revision);
        if batch.complete {
            self.completing = None;
            // Whoever sends everything may know nothing of how it stands: its database may come from a backup.
            self.world.board.say_again();
        }
        self.plan_retry(batch.complete);
        Ok(())
    }

    /// A part of the complete state: what is to be removed with it.
    async fn complete(&mut self, part: &Batch) -> Result<Vec<ObjectKey>, WriteFailed> {
        if self.completing.is_none() {
            // What is there is compared with everything that comes: it must be what is there, not what was written.
            self.reload().await?;
        }
        let completing = self.completing.get_or_insert_default();
        let keys = self.world.known().keys();
        let missing = completing.take(part, &keys);
        if !part.more {
            self.waiting
                .retain(|id, _| completing.names(ObjectKey::Workload(*id)));
        }
        Ok(missing)
    }

    fn plan_retry(&mut self, complete: bool) {
        if self.refused.swap(false, Ordering::Relaxed) {
            self.world.known().forget_position();
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
        let mut keys = self.world.known().keys();
        keys.retain(|key| matches!(key, ObjectKey::AccessRule(_)));
        self.delete_all(keys).await
    }

    /// Asks the API server itself: its watch may be behind what this process wrote. Page by page: specs may be large, and
    /// only their fingerprints are kept.
    async fn reload(&self) -> Result<(), WriteFailed> {
        // Before the lists: what somebody else changes from now on may or may not be in them.
        self.world.known().begin_complete();
        let client = &self.world.client;
        let mut listed = Vec::new();
        each(Api::<Project>::all(client.clone()), |object| {
            listed.extend(Listed::project(&object));
        })
        .await?;
        each(Api::<AccessRule>::all(client.clone()), |object| {
            listed.extend(Listed::rule(&object));
        })
        .await?;
        each(Api::<Workload>::all(client.clone()), |object| {
            listed.extend(Listed::workload(&object));
        })
        .await?;
        self.world.known().reload(listed);
        Ok(())
    }

    /// Rules first, then workloads, then projects. The workloads of a project that goes leave their Jobs behind: deleting
    /// a project ends rights, not work (DESIGN, decision 9).
    async fn delete_all(&mut self, mut keys: Vec<ObjectKey>) -> Result<(), WriteFailed> {
        keys.sort_unstable();
        keys.dedup();
        let projects: HashSet<String> = keys
            .iter()
            .filter_map(|key| match key {
                ObjectKey::Project(id) => Some(id.to_string()),
                _ => None,
            })
            .collect();
        for key in keys {
            if let ObjectKey::Workload(id) = key {
                self.waiting.remove(&id);
            }
            let project = self
                .world
                .known()
                .get(key)
                .filter(|_| matches!(key, ObjectKey::Workload(_)))
                .and_then(|record| record.place.clone());
            let leaves_work = project.is_some_and(|project| projects.contains(&project));
            let policy = if leaves_work {
                PropagationPolicy::Orphan
            } else {
                PropagationPolicy::Background
            };
            self.delete(key, policy).await?;
        }
        Ok(())
    }

    /// Writes the workloads whose namespaces have come.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn place_waiting(&mut self) -> Result<(), WriteFailed> {
        let usable: Vec<WorkloadId> = self
            .waiting
            .iter()
            .filter(|(_, (_, w))| self.usable(w.project_id).is_some())
            .map(|(id, _)| *id)
            .collect();
        for id in usable {
            let Some((revision, workload)) = self.waiting.get(&id).cloned() else {
                continue;
            };
            let Some(namespace) = self.usable(workload.project_id) else {
                continue;
            };
            self.write_workload(&workload, revision, &namespace).await?;
            self.waiting.remove(&id);
        }
        self.plan_retry(false);
        Ok(())
    }

    async fn project(&self, project: &desired::Project, revision: Revision) -> Result<(), WriteFailed> {
        let key = ObjectKey::Project(project.id);
        let object = Project::from(project);
        // Neither id nor namespace of a project can change: another one is another object.
        let moved = self.world.known().get(key).is_some_and(|record| {
            record.name != Name::of(&object) || record.place.as_ref() != Some(&project.namespace)
        });
        if moved {
            self.delete(key, PropagationPolicy::Background).await?;
        }
        let record = Record {
            name: Name::of(&object),
            spec: Fingerprint::of(&object.spec),
            place: Some(project.namespace.clone()),
            revision,
        };
        self.write(Api::all(self.world.client.clone()), key, object, record)
            .await
    }

    async fn rule(&self, rule: &desired::AccessRule, revision: Revision) -> Result<(), WriteFailed> {
        let object = AccessRule::from(rule);
        let record = Record {
            name: Name::of(&object),
            spec: Fingerprint::of(&object.spec),
            place: None,
            revision,
        };
        let key = ObjectKey::AccessRule(rule.id);
        self.write(Api::all(self.world.client.clone()), key, object, record)
            .await
    }

    async fn workload(&mut self, workload: desired::Workload, revision: Revision) -> Result<(), WriteFailed> {
        self.waiting.remove(&workload.id);
        if self.is_there(&workload, revision) {
            return Ok(());
        }
        let crowd = self
            .waiting
            .values()
            .any(|(_, other)| other.project_id == workload.project_id);
        let namespace = match self.usable(workload.project_id) {
            None if !crowd => self.wait_for(workload.project_id).await,
            found => found,
        };
        if let Some(namespace) = namespace {
            return self.write_workload(&workload, revision, &namespace).await;
        }
        self.world.board.set(
            ObjectKey::Workload(workload.id),
            StatusPhase::Creating,
            "its project's namespace is not ready yet",
        );
        let held: usize = self.waiting.values().map(|(_, other)| size(other)).sum();
        if held + size(&workload) > WAITING {
            // Asked for again, with everything: that many are not held.
            self.refused.store(true, Ordering::Relaxed);
        } else {
            self.waiting.insert(workload.id, (revision, workload));
        }
        Ok(())
    }

    /// Whether nothing is to be written, wherever its project stands: after a restart nothing has been said of that yet.
    fn is_there(&self, workload: &desired::Workload, revision: Revision) -> bool {
        let known = self.world.known();
        known.get(ObjectKey::Workload(workload.id)).is_some_and(|record| {
            let wanted = Workload::desired(workload, &record.name.namespace);
            record.revision == revision
                && record.name == Name::of(&wanted)
                && record.spec == Fingerprint::of(&wanted.spec)
        })
    }

    async fn write_workload(
        &self,
        workload: &desired::Workload,
        revision: Revision,
        namespace: &str,
    ) -> Result<(), WriteFailed> {
        let key = ObjectKey::Workload(workload.id);
        let object = Workload::desired(workload, namespace);
        let record = Record {
            name: Name::of(&object),
            spec: Fingerprint::of(&object.spec),
            place: Some(workload.project_id.to_string()),
            revision,
        };
        let changed = self
            .world
            .known()
            .get(key)
            .is_some_and(|before| before.name != record.name || before.spec != record.spec);
        if changed {
            self.delete(key, PropagationPolicy::Background).await?;
        }
        let api = Api::namespaced(self.world.client.clone(), namespace);
        self.write(api, key, object, record).await
    }

    /// The namespace of a project in which the operator can already write.
    fn usable(&self, project: ProjectId) -> Option<String> {
        let org = self.world.org();
        let project = org.project(project)?;
        org.outcome(project.name.as_str())
            .filter(|outcome| outcome.problem.is_none())?;
        Some(project.namespace.clone())
    }

    async fn wait_for(&self, project: ProjectId) -> Option<String> {
        let polling = async {
            loop {
                if let Some(namespace) = self.usable(project) {
                    return namespace;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout_at(self.patience_ends, polling).await.ok()
    }

    async fn write<K>(
        &self,
        api: Api<K>,
        key: ObjectKey,
        mut object: K,
        record: Record,
    ) -> Result<(), WriteFailed>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let in_the_way = self.world.known().in_the_way(key, &record.name);
        if let Some(other) = in_the_way {
            self.delete(other, PropagationPolicy::Background).await?;
        }
        let before = self.world.known().get(key).cloned();
        if before.as_ref() == Some(&record) {
            return Ok(());
        }
        annotate(&mut object, key, &record);
        self.world.board.set_first(key, StatusPhase::Creating);
        // Before the write, so that the watch's news of it is no surprise.
        self.world.known().set(key, record);
        match apply(&api, LINK_MANAGER, &object).await {
            Ok(written) => {
                self.world.known().written(key, Version::of(&written));
                Ok(())
            }
            Err(failed) => {
                match before {
                    Some(before) => self.world.known().set(key, before),
                    None => drop(self.world.known().remove(key)),
                }
                self.refused(key, failed)
            }
        }
    }

    /// What may succeed later is the caller's error; what will not is the object's status.
    fn refused(&self, key: ObjectKey, failed: WriteFailed) -> Result<(), WriteFailed> {
        if is_transient(&failed.source) && !is_about_the_object(&failed.source) {
            return Err(failed);
        }
        tracing::error!(key = ?key, error = %chain(&failed), "desired object refused");
        self.world.board.set(key, StatusPhase::NotReady, &chain(&failed));
        // Rights and policies may change; what the schema refuses it will refuse again.
        if !matches!(&*failed.source, kube::Error::Api(status) if matches!(status.code, 400 | 422)) {
            self.refused.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn delete(&self, key: ObjectKey, policy: PropagationPolicy) -> Result<(), WriteFailed> {
        // Before the deletion, so that the watch's news of it is no surprise.
        let entry = self.world.known().bury(key);
        if let Some(entry) = entry {
            let name = &entry.record().name;
            let client = self.world.client.clone();
            let deleted = match key {
                ObjectKey::AccessRule(_) => delete(Api::<AccessRule>::all(client), name, policy).await,
                ObjectKey::Project(_) => delete(Api::<Project>::all(client), name, policy).await,
                ObjectKey::Workload(_) => {
                    delete(Api::<Workload>::namespaced(client, &name.namespace), name, policy).await
                }
            };
            if let Err(failed) = deleted {
                self.world.known().unbury(key, entry);
                return if matches!(key, ObjectKey::Workload(_)) {
                    self.refused(key, failed)
                } else {
                    Err(failed)
                };
            }
        }
        self.world.board.set(key, StatusPhase::Deleted, "");
        Ok(())
    }
}

/// About how many bytes a workload holds.
fn size(workload: &desired::Workload) -> usize {
    let words = workload.command.iter().chain(&workload.args);
    let variables = workload
        .environment
        .iter()
        .map(|(name, value)| name.len() + value.len());
    512 + words.map(String::len).sum::<usize>() + variables.sum::<usize>()
}

/// Whether an answer that may be another next time is nevertheless about this object alone: a conflict, a webhook that fails
/// on it, a size that the API server's store does not take. It must not hold up the others.
fn is_about_the_object(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 409 | 500))
}
