//! Whose work something is, where Reeve's admission says so: the stamp of a project.
//!
//! In a project of Reeve the API server puts the stamp of whoever writes an object of ours on it, lets nobody but that person change
//! what it says, and lets the operator pass the stamp on. What the operator makes of a stamped object therefore bears the same stamp,
//! and its pods run as that person: their numbers are filled in from the stamp. What somebody else may change is not used for it
//! ([`may_use`]). Elsewhere there is no stamp, and nothing of this.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_types::kubernetes::RUNS_AS;

use crate::hash::Hash;

/// A stamp: user id, uid, gid and groups, as `userid/uid/gid/g1.g2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(String);

impl Stamp {
    /// Of an object of a namespace. Text that is no stamp is none; nor is that of an object of the cluster, on which nobody
    /// looks at it.
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        metadata.namespace.as_ref()?;
        let text = metadata.annotations.as_ref()?.get(RUNS_AS)?;
        let parts: Vec<&str> = text.split('/').collect();
        let [user, uid, gid, groups] = parts.as_slice() else {
            return None;
        };
        let numbers = groups.split('.').filter(|group| !group.is_empty());
        let stamped = !user.is_empty() && [*uid, *gid].into_iter().chain(numbers).all(is_number);
        stamped.then(|| Self(text.clone()))
    }

    /// The id of the person.
    pub fn user(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The annotations that say so.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(RUNS_AS.to_owned(), self.0.clone())])
    }

    /// What tells names of one person's objects from another's.
    pub fn mark(&self) -> String {
        Hash::default().text(self.user()).hex(8)
    }
}

fn is_number(text: &str) -> bool {
    !text.starts_with('0') && text.parse::<u32>().is_ok()
}

/// Whether what says this may serve somebody's: for the work of a person only what is that person's own, since whoever may change it
/// says what runs. For work that is nobody's everything may.
pub fn may_use(whose: Option<&Stamp>, metadata: &ObjectMeta) -> bool {
    whose.is_none_or(|whose| Stamp::of(metadata).is_some_and(|stamp| stamp.user() == whose.user()))
}
