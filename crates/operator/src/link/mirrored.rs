//! The kinds that the link writes, a file each: everything that differs between them.

mod access_rule;
mod project;
mod workload;

use std::fmt::Debug;
use std::sync::Arc;

use kube::core::object::HasSpec;
use kube::{Api, Client, Resource};
use reeve_kube_kit::Cache;
use reeve_link::{DesiredObject, ObjectKey};
use reeve_types::ProjectId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::Record;
use crate::caches::Caches;
use crate::fingerprint::Fingerprint;

/// A kind of custom resource that the link writes from the desired state.
pub trait Mirrored:
    Resource<DynamicType = ()>
    + HasSpec<Spec: Serialize>
    + Serialize
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// What the control plane says of one.
    type Desired;

    /// Kinds of a lower rank are written first: others need them. Deletions go by the order of [`ObjectKey`].
    const RANK: u8;
    /// Whether the end of one takes rights away. Then its deletion is tried until it succeeds, and holds up what comes after
    /// it; a deletion of another kind that is refused is reported, and passed over.
    const ENDS_RIGHTS: bool;
    /// Whether one gives people rights: those go when the cluster is deleted on the control plane. The rest stays.
    const GIVES_RIGHTS: bool;

    /// What the control plane says, when it is of this kind.
    fn desired(object: &DesiredObject) -> Option<&Self::Desired>;

    /// The project in whose namespace one lives; `None` for kinds without a namespace. One whose project has no usable
    /// namespace yet waits for it.
    fn home(desired: &Self::Desired) -> Option<ProjectId>;

    /// The object. `namespace` is the one of its home, and empty for kinds without.
    fn build(desired: &Self::Desired, namespace: &str) -> Self;

    /// About how many bytes one holds, for the bound on those that wait.
    fn size(_desired: &Self::Desired) -> usize {
        512
    }

    /// Requests about objects of this kind, in a namespace where it has one.
    fn api(client: Client, namespace: &str) -> Api<Self>;

    /// The copy of all of them.
    fn cache(caches: &Caches) -> &Arc<Cache<Self>>;

    /// The key under which the control plane knows an object; `None` when its id is none.
    fn key(&self) -> Option<ObjectKey>;

    /// What is remembered of where it belongs, beside its name: see the kind.
    fn place(&self) -> Option<String> {
        None
    }

    /// Whether what was written has to go before what is desired now can be written: a field that cannot change would.
    fn must_be_replaced(_before: &Record, _now: &Record) -> bool {
        false
    }

    /// The id of the project whose work it is, when it is somebody's work: that goes on when its project goes.
    fn work_of(_record: &Record) -> Option<&str> {
        None
    }

    /// The fingerprint of the spec.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.spec())
    }

    /// The fingerprint of the whole spec of an object that the cache may have trimmed.
    fn cached_fingerprint(&self) -> Fingerprint {
        self.fingerprint()
    }
}
