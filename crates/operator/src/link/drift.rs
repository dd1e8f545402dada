//! Notices when somebody else changes what the link wrote, by subscribing to the caches itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;
use reeve_kube_kit::{Change, ObjectName};
use tokio::sync::Notify;

use super::mirrored::Mirrored;
use super::record::{Version, annotated};
use super::written::{Found, WrittenObjects};

/// What the link wrote, compared with what the caches show.
#[derive(Debug, Default)]
pub struct Drift {
    written: Mutex<WrittenObjects>,
    seen: Notify,
}

impl Drift {
    /// What the link wrote.
    pub fn written(&self) -> MutexGuard<'_, WrittenObjects> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when somebody may have changed something since the last time.
    pub async fn seen(&self) {
        self.seen.notified().await;
    }

    /// Takes a change that a cache shows. Somebody else's makes the next connection ask for everything.
    pub(super) fn changed<K: Mirrored>(&self, change: &Change<K>) {
        let old = change
            .old
            .as_ref()
            .and_then(|old| Some((old.key()?, Version::of(&**old))));
        let new = change.new.as_ref().and_then(|new| {
            let found = Found {
                name: ObjectName::of(&**new),
                version: Version::of(&**new),
                annotated: annotated(&**new).is_some(),
                spec: new.cached_fingerprint(),
            };
            Some((new.key()?, found))
        });
        let mut written = self.written();
        let is_drift = match (&old, &new) {
            (Some((key, before)), Some((same, found))) if key == same => {
                written.tell(*key, Some(before), Some(found))
            }
            _ => {
                let gone = old.is_some_and(|(key, before)| written.tell(key, Some(&before), None));
                gone | new.is_some_and(|(key, found)| written.tell(key, None, Some(&found)))
            }
        };
        if is_drift {
            tracing::warn!(
                object = change.latest().map(|object| object.name_any()),
                "somebody else changed what the link wrote; asking for everything"
            );
            written.set_drifted();
            self.seen.notify_one();
        }
    }
}
