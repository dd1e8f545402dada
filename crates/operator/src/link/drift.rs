//! Notices when somebody else changes what the link wrote, by subscribing to the caches itself, and says who changed what.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::ResourceExt;
use reeve_kube_kit::events::EventNote;
use reeve_kube_kit::{Change, Context, ObjectName};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::mirrored::Mirrored;
use super::record::{Version, annotated};
use super::written::{Found, WrittenObjects};
use crate::authors::{action, is_us, told};

/// Of how many changes at once people are told.
const TOLD: usize = 20;

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

    /// Takes a change that a cache shows. Somebody else's makes the next connection ask for everything. Answers whether people are to
    /// be told of it: of many at once, as after the cluster's own backup was put back, only the first.
    pub(super) fn changed<K: Mirrored>(&self, change: &Change<K>) -> bool {
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
        is_drift && written.drifts() <= TOLD
    }
}

/// What was done, and by which program where Kubernetes notes that. Pure.
fn what_was_done<K: Mirrored>(change: &Change<K>) -> String {
    let by_the_audit_log = "who did it is in the API server's audit log";
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => told(&**new, &**old).map_or_else(
            || format!("it was changed; {by_the_audit_log}"),
            |what| format!("changed: {what}"),
        ),
        (None, Some(new)) => {
            let managers: Vec<&str> = new
                .managed_fields()
                .iter()
                .filter(|entry| !is_us(entry))
                .filter_map(|entry| entry.manager.as_deref())
                .collect();
            match managers.first() {
                Some(manager) => {
                    format!("it was made by `{manager}` with the annotation of what the control plane writes")
                }
                None => format!(
                    "it was made with the annotation of what the control plane writes; {by_the_audit_log}"
                ),
            }
        }
        _ => format!("it was deleted; {by_the_audit_log}"),
    }
}

/// Says by an event about the object what somebody else did to it.
pub(super) fn announce<K: Mirrored>(context: &Arc<Context>, change: &Change<K>) {
    let (Some(object), Ok(runtime)) = (change.latest().cloned(), Handle::try_current()) else {
        return;
    };
    let what = what_was_done(change);
    let context = context.clone();
    runtime.spawn(async move {
        let about = format!("the {} `{}`", K::kind(&()), ObjectName::of(&*object));
        let message = format!("{what}; what the control plane says of {about} is written again");
        let note = EventNote {
            warning: true,
            reason: "DriftFound",
            note: &message,
        };
        context
            .events
            .publish(&*object, &action(&about, &what), &note)
            .await;
    });
}
