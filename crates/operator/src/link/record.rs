//! What is remembered of an object, and which writing of it is meant.

use kube::ResourceExt;
use reeve_crds::REVISION_ANNOTATION;
use reeve_kube_kit::ObjectName;
use reeve_types::Revision;

use crate::fingerprint::Fingerprint;

/// One object the link wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What it is called in the cluster.
    pub name: ObjectName,
    /// Its spec.
    pub spec: Fingerprint,
    /// Where it belongs, as [`Mirrored::place`](super::mirrored::Mirrored::place) says.
    pub place: Option<String>,
    /// The revision that last changed it, as its annotation says.
    pub revision: Revision,
}

/// Which writing of which object. The numbers of Kubernetes' resource versions grow with every write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The object's uid: one that is made again under the same name has another.
    pub uid: String,
    /// Its resource version.
    pub number: u64,
}

impl Version {
    /// The version of an object that came from the API server.
    pub fn of<K: ResourceExt>(object: &K) -> Self {
        let number = object.resource_version().and_then(|version| version.parse().ok());
        Self {
            uid: object.uid().unwrap_or_default(),
            number: number.unwrap_or_default(),
        }
    }
}

/// The revision in the annotation.
pub(super) fn annotated<K: ResourceExt>(object: &K) -> Option<Revision> {
    object
        .annotations()
        .get(REVISION_ANNOTATION)?
        .parse()
        .ok()
        .map(Revision)
}
