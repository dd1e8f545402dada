//! What the caches keep of what is read. Pods and Jobs are written by people, and so are their annotations, labels and
//! messages: of those only what a pass reads is kept, cut to a length, so that nobody can fill the operator's memory. A
//! workload is kept without what makes it large; who makes its Job asks for the rest.

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::{
    ConfigMap, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, Pod, PodCondition, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ObjectMeta};
use kube::{Resource, ResourceExt};
use reeve_admission::names;
use reeve_crds::{REVISION_ANNOTATION, Workload};
use reeve_tenancy::cluster_config;
use reeve_workload::{WORKLOAD_ID_LABEL, WORKLOAD_LABEL};

use crate::authors::is_us;
use crate::fingerprint::Fingerprint;
use crate::ownership::is_of_a_workload;

/// The longest message that is kept, in bytes: as long as one that is reported.
const MESSAGE: usize = 1000;
/// The longest stamp that is one: an id, uid, gid and 64 groups. A longer one is nobody's.
const STAMP: usize = 1024;
/// How many states of containers are kept of a pod.
const CONTAINERS: usize = 32;
/// Where the cached copy of a workload bears the fingerprint of its spec. In memory alone.
const FINGERPRINT: &str = "reeve.dev/in-memory-fingerprint";

/// Of any object: without the field managers.
pub fn managed<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
}

/// Of a ConfigMap of settings only the text with the settings.
pub fn cluster_config(object: &mut ConfigMap) {
    let text = object
        .data
        .as_mut()
        .and_then(|data| data.remove(cluster_config::KEY));
    *object = ConfigMap {
        metadata: ObjectMeta {
            name: object.metadata.name.take(),
            namespace: object.metadata.namespace.take(),
            resource_version: object.metadata.resource_version.take(),
            uid: object.metadata.uid.take(),
            ..ObjectMeta::default()
        },
        data: text.map(|text| [(cluster_config::KEY.to_owned(), text)].into()),
        ..ConfigMap::default()
    };
}

/// The longest list of another manager's fields that is kept, in bytes.
const FIELDS: usize = 4096;

/// Of field managers the names, and what others wrote: who changed what is ours is told by that.
pub fn managers<K: Resource>(object: &mut K) {
    all_managers(object);
    let entries = object.meta_mut().managed_fields.iter_mut().flatten();
    for ours in entries.filter(|entry| is_us(entry)) {
        ours.fields_v1 = None;
    }
}

/// The same with what the operator wrote itself: what it is to take away again is told by that.
pub fn all_managers<K: Resource>(object: &mut K) {
    let entries = object.meta_mut().managed_fields.iter_mut().flatten();
    for entry in entries {
        let long = |fields: &FieldsV1| fields.0.to_string().len() > FIELDS;
        if entry.fields_v1.as_ref().is_some_and(long) {
            entry.fields_v1 = None;
        }
    }
}

/// A workload without command, arguments and environment, and with the fingerprint of its whole spec.
pub fn workload(object: &mut Workload) {
    managed(object);
    let whole = Fingerprint::of(&object.spec);
    object.spec.command = Vec::new();
    object.spec.args = Vec::new();
    object.spec.environment = Vec::new();
    let annotations = object.annotations_mut();
    annotations.retain(|key, _| key == REVISION_ANNOTATION);
    annotations.insert(FINGERPRINT.to_owned(), whole.to_text());
}

/// The fingerprint of the whole spec of a cached workload.
pub fn fingerprint(cached: &Workload) -> Fingerprint {
    let kept = cached.annotations().get(FINGERPRINT);
    kept.and_then(|text| Fingerprint::from_text(text))
        .unwrap_or_else(|| Fingerprint::of(&cached.spec))
}

/// Name, age and whose it is.
fn metadata(of: &mut ObjectMeta) -> ObjectMeta {
    let mut labels = of.labels.take().unwrap_or_default();
    labels.retain(|key, value| (key == WORKLOAD_LABEL || key == WORKLOAD_ID_LABEL) && value.len() <= 63);
    let mut owners = of.owner_references.take().unwrap_or_default();
    owners.retain(|owner| owner.controller == Some(true));
    ObjectMeta {
        name: of.name.take(),
        namespace: of.namespace.take(),
        uid: of.uid.take(),
        resource_version: of.resource_version.take(),
        creation_timestamp: of.creation_timestamp.take(),
        deletion_timestamp: of.deletion_timestamp.take(),
        labels: Some(labels).filter(|labels| !labels.is_empty()),
        owner_references: Some(owners).filter(|owners| !owners.is_empty()),
        ..ObjectMeta::default()
    }
}

/// Of a Job that is a workload's how it stands; of any other that it is there.
pub fn job(object: &mut Job) {
    object.metadata = metadata(&mut object.metadata);
    object.spec = None;
    let status = object.status.take().unwrap_or_default();
    if !is_of_a_workload(&object.metadata) {
        return;
    }
    let mut conditions = status.conditions.unwrap_or_default();
    conditions.retain(|condition| matches!(&*condition.type_, "Complete" | "Failed" | "Suspended"));
    for condition in &mut conditions {
        cut(&mut condition.reason);
        cut(&mut condition.message);
    }
    object.status = Some(JobStatus {
        ready: status.ready,
        conditions: Some(conditions),
        ..JobStatus::default()
    });
}

/// Of a pod whose it is and whether it has ended; of a workload's also why it waits or how it ended.
pub fn pod(object: &mut Pod) {
    let mut annotations = object.metadata.annotations.take().unwrap_or_default();
    annotations.retain(|key, value| key == names::RUNS_AS && value.len() <= STAMP);
    object.metadata = metadata(&mut object.metadata);
    object.metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    object.spec = None;
    let status = object.status.take().unwrap_or_default();
    if !object.labels().contains_key(WORKLOAD_LABEL) {
        object.metadata.labels = None;
        object.metadata.owner_references = None;
        object.status = Some(PodStatus {
            phase: status.phase,
            ..PodStatus::default()
        });
        return;
    }
    object.status = Some(pod_status(status));
}

fn pod_status(mut status: PodStatus) -> PodStatus {
    cut(&mut status.reason);
    cut(&mut status.message);
    let mut conditions = status.conditions.unwrap_or_default();
    conditions.retain(|condition| condition.type_ == "PodScheduled");
    let conditions = conditions.into_iter().map(|mut condition| {
        cut(&mut condition.reason);
        cut(&mut condition.message);
        PodCondition {
            type_: condition.type_,
            status: condition.status,
            reason: condition.reason,
            message: condition.message,
            ..PodCondition::default()
        }
    });
    PodStatus {
        phase: status.phase,
        reason: status.reason,
        message: status.message,
        conditions: Some(conditions.collect()),
        container_statuses: containers(status.container_statuses),
        init_container_statuses: containers(status.init_container_statuses),
        ..PodStatus::default()
    }
}

fn containers(all: Option<Vec<ContainerStatus>>) -> Option<Vec<ContainerStatus>> {
    let kept = all?
        .into_iter()
        .take(CONTAINERS)
        .map(|container| ContainerStatus {
            name: container.name,
            state: container.state.map(state),
            ..ContainerStatus::default()
        });
    Some(kept.collect())
}

fn state(mut state: ContainerState) -> ContainerState {
    if let Some(waiting) = &mut state.waiting {
        cut(&mut waiting.reason);
        cut(&mut waiting.message);
    }
    ContainerState {
        running: state.running.map(|_| ContainerStateRunning::default()),
        waiting: state.waiting.map(|waiting| ContainerStateWaiting {
            reason: waiting.reason,
            message: waiting.message,
        }),
        terminated: state.terminated.map(|mut ended| {
            cut(&mut ended.reason);
            ContainerStateTerminated {
                exit_code: ended.exit_code,
                reason: ended.reason,
                ..ContainerStateTerminated::default()
            }
        }),
    }
}

/// Keeps the beginning of a text, whole characters only.
trait Cut {
    fn cut(&mut self);
}

impl Cut for String {
    fn cut(&mut self) {
        self.truncate(self.floor_char_boundary(MESSAGE));
        self.shrink_to_fit();
    }
}

impl Cut for Option<String> {
    fn cut(&mut self) {
        if let Some(text) = self {
            text.cut();
        }
    }
}

fn cut(text: &mut impl Cut) {
    text.cut();
}
