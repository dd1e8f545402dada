//! Writes batches as custom resources: deletions first, then upserts in their order, and only what differs.
//!
//! A write that may succeed later ends the connection, and the next one resumes before it. One that is refused for good is
//! reported as the object's status and passed over: it must not hold up everybody else's revocations. A workload whose
//! namespace is not there yet waits aside, marked on its project so that a restart asks for it again.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{DeleteParams, PropagationPolicy};
use kube::{Api, Resource, ResourceExt};
use reeve_crds::{AccessRule, ID_LABEL, Project, REVISION_ANNOTATION, Workload};
use reeve_kube_kit::Name;
use reeve_kube_kit::apply::{WriteFailed, apply};
use reeve_kube_kit::error::{chain, is_transient};
use reeve_link::{Batch, DesiredObject, ObjectKey, StatusPhase, desired};
use reeve_types::{ProjectId, Revision, WorkloadId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::known::{Record, WAITS_ANNOTATION};
use crate::LINK_MANAGER;
use crate::world::World;

/// How long a batch waits for a namespace that was asked for moments ago.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes for one process.
#[derive(Debug)]
pub struct Mirror {
    world: Arc<World>,
    waiting: BTreeMap<WorkloadId, (Revision, desired::Workload)>,
}

impl Mirror {
    /// Nothing is written yet.
    pub const fn new(world: Arc<World>) -> Self {
        Self {
            world,
            waiting: BTreeMap::new(),
        }
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// A write that may succeed later.
    pub async fn apply(&mut self, batch: Batch) -> Result<(), WriteFailed> {
        let mut deletes = batch.deletes;
        if batch.complete {
            let named: std::collections::HashSet<ObjectKey> =
                batch.upserts.iter().map(|upsert| upsert.object.key()).collect();
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
        deletes.sort_unstable();
        deletes.dedup();
        for key in deletes {
            self.delete(key).await?;
        }
        let mut upserts = batch.upserts;
        upserts.sort_by_key(|upsert| (upsert.revision, rank(&upsert.object)));
        for upsert in upserts {
            match upsert.object {
                DesiredObject::Project(project) => self.project(&project, upsert.revision, None).await?,
                DesiredObject::AccessRule(rule) => self.rule(&rule, upsert.revision).await?,
                DesiredObject::Workload(workload) => self.workload(workload, upsert.revision).await?,
            }
        }
        if batch.complete {
            self.world.known().complete();
        }
        self.world.board.set_revision(batch.revision);
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
            let project = workload.project_id;
            if !self
                .waiting
                .values()
                .any(|(_, other)| other.project_id == project)
            {
                self.mark(project, None).await?;
            }
        }
        Ok(())
    }

    async fn project(
        &self,
        project: &desired::Project,
        revision: Revision,
        waits: Option<Revision>,
    ) -> Result<(), WriteFailed> {
        let key = ObjectKey::Project(project.id);
        let object = Project::from(project);
        // Neither id nor namespace of a project can change: another one is another object.
        let moved = self.world.known().get(key).is_some_and(|record| {
            record.name != Name::of(&object)
                || record.spec.get("namespace").and_then(|n| n.as_str()) != Some(&*project.namespace)
        });
        if moved {
            self.delete(key).await?;
        }
        let spec = object.spec.clone();
        self.write(
            Api::all(self.world.client.clone()),
            key,
            object,
            &spec,
            revision,
            waits,
        )
        .await
    }

    async fn rule(&self, rule: &desired::AccessRule, revision: Revision) -> Result<(), WriteFailed> {
        let object = AccessRule::from(rule);
        let spec = object.spec.clone();
        self.write(
            Api::all(self.world.client.clone()),
            ObjectKey::AccessRule(rule.id),
            object,
            &spec,
            revision,
            None,
        )
        .await
    }

    async fn workload(&mut self, workload: desired::Workload, revision: Revision) -> Result<(), WriteFailed> {
        self.waiting.remove(&workload.id);
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
        if !crowd {
            self.mark(workload.project_id, Some(revision)).await?;
        }
        self.world.board.set(
            ObjectKey::Workload(workload.id),
            StatusPhase::Creating,
            "its project's namespace is not ready yet",
        );
        self.waiting.insert(workload.id, (revision, workload));
        Ok(())
    }

    async fn write_workload(
        &self,
        workload: &desired::Workload,
        revision: Revision,
        namespace: &str,
    ) -> Result<(), WriteFailed> {
        let key = ObjectKey::Workload(workload.id);
        let object = Workload::desired(workload, namespace);
        let spec = object.spec.clone();
        let changed = serde_json::to_value(&spec).is_ok_and(|spec| {
            self.world
                .known()
                .get(key)
                .is_some_and(|record| record.name != Name::of(&object) || record.spec != spec)
        });
        if changed {
            self.delete(key).await?;
        }
        self.write(
            Api::namespaced(self.world.client.clone(), namespace),
            key,
            object,
            &spec,
            revision,
            None,
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
        tokio::time::timeout(PATIENCE, polling).await.ok()
    }

    /// Writes, or takes off, the mark that workloads of a project wait.
    async fn mark(&self, id: ProjectId, waits: Option<Revision>) -> Result<(), WriteFailed> {
        let key = ObjectKey::Project(id);
        let Some(record) = self.world.known().get(key).cloned() else {
            return Ok(());
        };
        let Ok(spec) = serde_json::from_value(record.spec.clone()) else {
            return Ok(());
        };
        let object = Project::new(&record.name.name, spec);
        let spec = object.spec.clone();
        // As of now nothing is known of it, so that it is written whatever it was.
        self.world.known().set(
            key,
            Record {
                waits,
                spec: serde_json::Value::Null,
                ..record.clone()
            },
        );
        self.write(
            Api::all(self.world.client.clone()),
            key,
            object,
            &spec,
            record.revision,
            waits,
        )
        .await
    }

    async fn write<K, S>(
        &self,
        api: Api<K>,
        key: ObjectKey,
        mut object: K,
        spec: &S,
        revision: Revision,
        waits: Option<Revision>,
    ) -> Result<(), WriteFailed>
    where
        K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
        S: Serialize,
    {
        let name = Name::of(&object);
        let in_the_way = self.world.known().in_the_way(key, &name);
        if let Some(other) = in_the_way {
            self.delete(other).await?;
        }
        let spec = serde_json::to_value(spec).unwrap_or_default();
        let before = self.world.known().get(key).cloned();
        let waits = waits.or_else(|| {
            before
                .as_ref()
                .and_then(|record| record.waits)
                .filter(|_| !self.waiting.is_empty())
        });
        let record = Record {
            name,
            spec,
            revision,
            waits,
        };
        if before.as_ref() == Some(&record) {
            return Ok(());
        }
        annotate(&mut object, key, &record);
        self.world.board.set_first(key, StatusPhase::Creating);
        // Before the write, so that the watch's news of it is no surprise.
        self.world.known().set(key, record);
        match apply(&api, LINK_MANAGER, &object).await {
            Ok(_) => Ok(()),
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
        Ok(())
    }

    async fn delete(&self, key: ObjectKey) -> Result<(), WriteFailed> {
        let record = self.world.known().remove(key);
        let Some(record) = record else {
            self.world.board.set(key, StatusPhase::Deleted, "");
            return Ok(());
        };
        let client = self.world.client.clone();
        let deleted = match key {
            ObjectKey::AccessRule(_) => delete(Api::<AccessRule>::all(client), &record.name).await,
            ObjectKey::Project(_) => delete(Api::<Project>::all(client), &record.name).await,
            ObjectKey::Workload(_) => {
                delete(
                    Api::<Workload>::namespaced(client, &record.name.namespace),
                    &record.name,
                )
                .await
            }
        };
        if let Err(failed) = deleted {
            self.world.known().set(key, record);
            return self.refused(key, failed);
        }
        self.world.board.set(key, StatusPhase::Deleted, "");
        Ok(())
    }
}

/// Of one revision, what others need comes first.
const fn rank(object: &DesiredObject) -> u8 {
    match object {
        DesiredObject::Project(_) => 0,
        DesiredObject::AccessRule(_) => 1,
        DesiredObject::Workload(_) => 2,
    }
}

async fn delete<K: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug>(
    api: Api<K>,
    name: &Name,
) -> Result<(), WriteFailed> {
    let parameters = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    match api.delete(&name.name, &parameters).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => {
            let namespace = Some(name.namespace.as_str()).filter(|namespace| !namespace.is_empty());
            Err(WriteFailed::new::<K>("delete", namespace, &name.name, source))
        }
    }
}

fn annotate<K: ResourceExt>(object: &mut K, key: ObjectKey, record: &Record) {
    object
        .annotations_mut()
        .insert(REVISION_ANNOTATION.to_owned(), record.revision.to_string());
    if let Some(waits) = record.waits {
        object
            .annotations_mut()
            .insert(WAITS_ANNOTATION.to_owned(), waits.to_string());
    }
    let id = match key {
        ObjectKey::AccessRule(id) => id.to_string(),
        ObjectKey::Project(id) => id.to_string(),
        ObjectKey::Workload(id) => id.to_string(),
    };
    object.labels_mut().insert(ID_LABEL.to_owned(), id);
}
