//! What the caches keep of what is read; of Jobs and pods, [`crate::cached`]. A workload is kept without what makes it large; who makes
//! its Job asks for the rest.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ObjectMeta};
use kube::{Resource, ResourceExt};
use reeve_crds::{REVISION_ANNOTATION, Workload};
use reeve_tenancy::cluster_config;

use crate::authors::is_us;
use crate::fingerprint::Fingerprint;

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

/// The path of the one Secret that a cached workload has of those that it mounts. In memory alone.
const SOMEWHERE: &str = "/secret";

/// A workload without command, arguments, environment, folder, labels, annotations, tolerations and probe, with one Secret at most of those that it mounts, and with the fingerprint
/// of its whole spec. By the one it is told that it may have to wait; which of all it waits for is told by the whole workload.
pub fn workload(object: &mut Workload) {
    managed(object);
    let whole = Fingerprint::of(&object.spec);
    object.spec.command = Vec::new();
    object.spec.args = Vec::new();
    object.spec.environment = Vec::new();
    object.spec.working_dir = None;
    object.spec.metadata = None;
    object.spec.placement = None;
    object.spec.readiness_probe = None;
    object.spec.secret_volumes.truncate(1);
    object.spec.secret_volumes.shrink_to_fit();
    for volume in &mut object.spec.secret_volumes {
        SOMEWHERE.clone_into(&mut volume.mount_path);
        volume.mount_path.shrink_to_fit();
    }
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
