//! Who owns what we make.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use reeve_serving_crds::{GROUP, VERSION};

use crate::labels::{Controller, Labels};
use crate::stamp::Stamp;

/// The object for which others are made, as far as they must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its labels.
    pub labels: Labels,
    /// Which labels children get.
    pub propagation: Option<reeve_serving_crds::LabelPropagation>,
    /// Who makes them.
    pub controller: Controller,
    /// Whose work it is, in a project of Reeve.
    pub stamp: Option<Stamp>,
}

impl Parent {
    /// From an object's metadata. What it lacks is empty: an object that the API server gave lacks nothing.
    pub fn new(kind: &'static str, metadata: &ObjectMeta, controller: Controller) -> Self {
        Self {
            kind,
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
            labels: metadata.labels.clone().unwrap_or_default(),
            propagation: None,
            controller,
            stamp: Stamp::of(metadata),
        }
    }

    /// With label propagation of the runtime configuration.
    #[must_use]
    pub fn propagating(mut self, propagation: Option<&reeve_serving_crds::LabelPropagation>) -> Self {
        self.propagation = propagation.cloned();
        self
    }

    /// The reference that makes this the owner. It does not hold up the owner's deletion.
    pub fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: format!("{GROUP}/{VERSION}"),
            kind: self.kind.to_owned(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// The metadata of a child.
    pub fn child(&self, name: String, namespace: Option<&str>, own: &Labels, owned: bool) -> ObjectMeta {
        let labels = crate::labels::of_child(
            own,
            &self.labels,
            &self.name,
            self.propagation.as_ref(),
            self.controller,
        );
        ObjectMeta {
            name: Some(name),
            namespace: namespace.map(str::to_owned),
            labels: Some(labels),
            owner_references: owned.then(|| vec![self.reference()]),
            ..ObjectMeta::default()
        }
    }

    /// The metadata of a child that is of a kind of ours: it is the same person's work.
    pub fn part(&self, name: String, namespace: Option<&str>, own: &Labels, owned: bool) -> ObjectMeta {
        ObjectMeta {
            annotations: self.stamp.as_ref().map(Stamp::annotations),
            ..self.child(name, namespace, own, owned)
        }
    }

    /// The metadata of the pods of a Job: they run as the same person.
    pub fn of_pods(&self, own: &Labels) -> ObjectMeta {
        ObjectMeta {
            annotations: self.stamp.as_ref().map(Stamp::annotations),
            labels: Some(self.pods(own)),
            ..ObjectMeta::default()
        }
    }

    /// The labels of the pods of a Job.
    pub fn pods(&self, own: &Labels) -> Labels {
        crate::labels::of_pods(
            own,
            &self.labels,
            &self.name,
            self.propagation.as_ref(),
            self.controller,
        )
    }
}
