//! Whose an object is, by its owner references. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

/// Whether the object's controller is the one with this uid.
pub fn is_controlled_by(meta: &ObjectMeta, uid: &str) -> bool {
    meta.owner_references
        .iter()
        .flatten()
        .any(|owner| owner.controller == Some(true) && owner.uid == uid)
}

/// Whether the object's controller is a workload of ours, whichever. Nobody but the operator can write such a reference (R18).
pub fn is_of_a_workload(meta: &ObjectMeta) -> bool {
    meta.owner_references.iter().flatten().any(is_our_workload)
}

/// Whether the object's controller is the workload with this uid.
pub fn is_of_workload(meta: &ObjectMeta, uid: &str) -> bool {
    meta.owner_references
        .iter()
        .flatten()
        .any(|owner| is_our_workload(owner) && owner.uid == uid)
}

fn is_our_workload(owner: &OwnerReference) -> bool {
    owner.controller == Some(true)
        && owner.kind == "Workload"
        && owner.api_version.starts_with(reeve_admission::names::PREFIX)
}
