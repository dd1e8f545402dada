//! Projects. Remembered of each beside its name: its namespace, which cannot change.

use std::sync::Arc;

use kube::{Api, Client};
use reeve_crds::{Project, desired};
use reeve_kube_kit::Cache;
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::ProjectId;

use super::Mirrored;
use crate::caches::Caches;
use crate::link::record::Record;

impl Mirrored for Project {
    type Desired = desired::Project;

    const RANK: u8 = 0;
    const ENDS_RIGHTS: bool = true;
    const GIVES_RIGHTS: bool = false;

    fn desired(object: &DesiredObject) -> Option<&desired::Project> {
        match object {
            DesiredObject::Project(project) => Some(project),
            _ => None,
        }
    }

    fn home(_: &desired::Project) -> Option<ProjectId> {
        None
    }

    fn build(project: &desired::Project, _: &str) -> Self {
        Self::from(project)
    }

    fn api(client: Client, _: &str) -> Api<Self> {
        Api::all(client)
    }

    fn cache(caches: &Caches) -> &Arc<Cache<Self>> {
        &caches.projects
    }

    fn key(&self) -> Option<ObjectKey> {
        self.spec.id.parse().ok().map(ObjectKey::Project)
    }

    fn place(&self) -> Option<String> {
        Some(self.spec.namespace.clone())
    }

    fn must_be_replaced(before: &Record, now: &Record) -> bool {
        before.name != now.name || before.place != now.place
    }
}
