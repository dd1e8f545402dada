//! Workloads. Remembered of each beside its name: the id of its project. A workload is immutable: another is another object.

use std::sync::Arc;

use kube::{Api, Client};
use reeve_crds::{Workload, desired};
use reeve_kube_kit::Cache;
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::ProjectId;

use super::Mirrored;
use crate::caches::Caches;
use crate::fingerprint::Fingerprint;
use crate::link::record::Record;
use crate::slim;

impl Mirrored for Workload {
    type Desired = desired::Workload;

    const RANK: u8 = 2;
    const ENDS_RIGHTS: bool = false;
    const GIVES_RIGHTS: bool = false;

    fn desired(object: &DesiredObject) -> Option<&desired::Workload> {
        match object {
            DesiredObject::Workload(workload) => Some(workload),
            _ => None,
        }
    }

    fn home(workload: &desired::Workload) -> Option<ProjectId> {
        Some(workload.project_id)
    }

    fn build(workload: &desired::Workload, namespace: &str) -> Self {
        Self::desired(workload, namespace)
    }

    fn size(workload: &desired::Workload) -> usize {
        let words = workload.command.iter().chain(&workload.args);
        let variables = workload
            .environment
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let paths = workload
            .secret_volumes
            .iter()
            .map(|it| 256 + it.mount_path.as_str().len());
        let labels = workload.metadata.labels.iter();
        let labels = labels.map(|(name, value)| name.as_str().len() + value.as_str().len());
        let annotations = workload.metadata.annotations.iter();
        let annotations = annotations.map(|(name, value)| name.as_str().len() + value.len());
        let tolerations = workload.placement.tolerations.iter();
        let tolerations = tolerations.map(|it| 128 + it.key.as_str().len());
        let texts = words.map(String::len).chain(variables).chain(paths);
        let own = labels.chain(annotations).chain(tolerations);
        512 + texts.chain(own).sum::<usize>()
    }

    fn api(client: Client, namespace: &str) -> Api<Self> {
        Api::namespaced(client, namespace)
    }

    fn cache(caches: &Caches) -> &Arc<Cache<Self>> {
        &caches.workloads
    }

    fn key(&self) -> Option<ObjectKey> {
        self.spec.id.parse().ok().map(ObjectKey::Workload)
    }

    fn place(&self) -> Option<String> {
        Some(self.spec.project_id.clone())
    }

    fn must_be_replaced(before: &Record, now: &Record) -> bool {
        before.name != now.name || before.spec != now.spec
    }

    fn work_of(record: &Record) -> Option<&str> {
        record.place.as_deref()
    }

    fn cached_fingerprint(&self) -> Fingerprint {
        slim::fingerprint(self)
    }
}
