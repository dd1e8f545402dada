//! Writes batches as custom resources: deletions first, then upserts, and only what differs.
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
use serde_json::Value;
use tokio::time::Instant;

use super::known::{Record, Version};
use super::resources::{annotate, delete, list, rank};
use super::retry::Retry;
use crate::LINK_MANAGER;
use crate::world::World;

/// How long a batch waits altogether for namespaces that were asked for moments ago.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes for one process.
#[derive(Debug)]
pub struct Mirror {
    world: Arc<World>,
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

    /// Applies a batch of a history.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn apply(&mut self, mut batch: Batch, history: HistoryId) -> Result<(), WriteFailed> {
        self.patience_ends = Instant::now() + PATIENCE;
        let mut deletes = std::mem::take(&mut batch.deletes);
        if batch.complete {
            // What is there is compared with everything that comes: it must be what is there, not what was written.
            self.reload().await?;
            let named: HashSet<ObjectKey> = batch.upserts.iter().map(|upsert| upsert.object.key()).collect();
            deletes.extend(
                self.world
                    .known()
                    .keys()
                    .into_iter()
                    .filter(|key| !named.contains(key)),
            );
            self.waiting
                .retain(|id, _| named.contains(&ObjectKey::Workload(*id)));
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
        let at = Resume {
            history,
            revision: batch.revision,
        };
        self.world.known().applied(at, batch.complete);
        self.world.board.set_revision(batch.revision);
        if batch.complete {
            // Whoever sends everything may know nothing of how it stands: its database may come from a backup.
            self.world.board.say_again();
        }
        self.plan_retry(batch.complete);
        Ok(())
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

    /// Asks the API server itself: its watch may be behind what this process wrote.
    async fn reload(&self) -> Result<(), WriteFailed> {
        // Before the lists: what somebody else changes from now on may or may not be in them.
        self.world.known().begin_complete();
        let client = &self.world.client;
        let projects = list(Api::<Project>::all(client.clone())).await?;
        let rules = list(Api::<AccessRule>::all(client.clone())).await?;
        let workloads = list(Api::<Workload>::all(client.clone())).await?;
        self.world.known().reload(projects, rules, workloads);
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
                .and_then(|record| Some(record.spec.get("projectId")?.as_str()?.to_owned()));
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
            record.name != Name::of(&object)
                || record.spec.get("namespace").and_then(|n| n.as_str()) != Some(&*project.namespace)
        });
        if moved {
            self.delete(key, PropagationPolicy::Background).await?;
        }
        let spec = value(&object.spec);
        self.write(Api::all(self.world.client.clone()), key, object, spec, revision)
            .await
    }

    async fn rule(&self, rule: &desired::AccessRule, revision: Revision) -> Result<(), WriteFailed> {
        let object = AccessRule::from(rule);
        let spec = value(&object.spec);
        self.write(
            Api::all(self.world.client.clone()),
            ObjectKey::AccessRule(rule.id),
            object,
            spec,
            revision,
        )
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
        self.waiting.insert(workload.id, (revision, workload));
        Ok(())
    }

    /// Whether nothing is to be written, wherever its project stands: after a restart nothing has been said of that yet.
    fn is_there(&self, workload: &desired::Workload, revision: Revision) -> bool {
        let known = self.world.known();
        known.get(ObjectKey::Workload(workload.id)).is_some_and(|record| {
            let wanted = Workload::desired(workload, &record.name.namespace);
            record.revision == revision
                && record.name == Name::of(&wanted)
                && record.spec == value(&wanted.spec)
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
        let spec = value(&object.spec);
        let changed = self
            .world
            .known()
            .get(key)
            .is_some_and(|record| record.name != Name::of(&object) || record.spec != spec);
        if changed {
            self.delete(key, PropagationPolicy::Background).await?;
        }
        self.write(
            Api::namespaced(self.world.client.clone(), namespace),
            key,
            object,
            spec,
            revision,
        )
        .await
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
        spec: Value,
        revision: Revision,
    ) -> Result<(), WriteFailed>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        let name = Name::of(&object);
        let in_the_way = self.world.known().in_the_way(key, &name);
        if let Some(other) = in_the_way {
            self.delete(other, PropagationPolicy::Background).await?;
        }
        let before = self.world.known().get(key).cloned();
        let record = Record { name, spec, revision };
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
        if is_transient(&failed.source) {
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

/// A spec as it is compared and remembered. Specs are plain data: that they have no JSON cannot be.
fn value(spec: &impl Serialize) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}
