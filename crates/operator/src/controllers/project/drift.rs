//! What of a project's objects is not as the operator left it. Pure but for [`Deletions`]; who changed it says [`crate::authors`].

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::ResourceExt;
use reeve_admission::names;
use reeve_kube_kit::ObjectName;

use crate::MANAGER;
use crate::authors::owns;

/// The annotations that only a decision at the control plane puts there.
const UNDECIDED: [&str; 5] = [
    names::NODE_POOLS,
    names::PRIORITY_CLASSES,
    names::TOLERATIONS,
    names::TRAINING_POLICY,
    names::WORKSPACE_POLICY,
];

/// The annotations of a namespace that the operator wrote and that nobody decided at the control plane any more.
pub fn undecided(actual: &Namespace, wanted: &Namespace) -> Vec<&'static str> {
    let written = |key: &str| {
        let path = ["metadata", "annotations", key].map(str::to_owned);
        let ours = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some(MANAGER);
        let mut entries = actual.managed_fields().iter().filter(ours);
        entries.any(|entry| owns(entry, &path))
    };
    UNDECIDED
        .into_iter()
        .filter(|key| actual.annotations().contains_key(*key) && !wanted.annotations().contains_key(*key))
        .filter(|key| written(key))
        .collect()
}

/// Bindings that are gone although nobody here removed them.
#[derive(Debug, Default)]
pub struct Deletions {
    ours: Mutex<BTreeSet<ObjectName>>,
    others: Mutex<BTreeSet<ObjectName>>,
}

impl Deletions {
    /// The operator is about to remove it.
    pub fn ours(&self, name: &ObjectName) {
        self.ours
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone());
    }

    /// The watch shows that it is gone.
    pub fn seen(&self, name: &ObjectName) {
        let by_us = self
            .ours
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        if !by_us {
            self.others
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone());
        }
    }

    /// Whether somebody else removed it since the last time this was asked.
    pub fn by_others(&self, name: &ObjectName) -> bool {
        self.others
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_removed_is_no_drift() {
        let deletions = Deletions::default();
        let name = ObjectName::namespaced("a", "b");
        deletions.ours(&name);
        deletions.seen(&name);
        assert!(!deletions.by_others(&name));
        deletions.seen(&name);
        assert!(deletions.by_others(&name));
        assert!(!deletions.by_others(&name));
    }
}
