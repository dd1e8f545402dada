//! The news for the control plane: the last word about each object, until it is sent.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_link::bounds::{ALARMS, ISSUES, MESSAGE, OBJECTS, VERSION};
use reeve_link::{ClusterSettings, ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::Revision;
use tokio::sync::Notify;

/// The outbox.
#[derive(Debug, Default)]
pub struct StatusOutbox {
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    last: HashMap<ObjectKey, ObjectStatus>,
    unsent: BTreeSet<ObjectKey>,
    in_flight: Vec<ObjectKey>,
    settings: Option<ClusterSettings>,
    settings_unsent: bool,
    revision: Revision,
    revision_unsent: bool,
}

impl StatusOutbox {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how an object stands. Saying the same again is no news.
    pub fn set(&self, key: ObjectKey, phase: StatusPhase, message: &str) {
        let status = ObjectStatus {
            key,
            phase,
            message: cut(message, MESSAGE).to_owned(),
        };
        let mut inner = self.inner();
        if inner.last.get(&key) != Some(&status) {
            inner.last.insert(key, status);
            inner.unsent.insert(key);
            self.news.notify_one();
        }
    }

    /// Says so only of an object of which nothing was said yet.
    pub fn set_first(&self, key: ObjectKey, phase: StatusPhase) {
        if !self.inner().last.contains_key(&key) {
            self.set(key, phase, "");
        }
    }

    /// Says what the cluster is, within the bounds of a report.
    pub fn set_settings(&self, settings: ClusterSettings) {
        let settings = within_bounds(settings);
        let mut inner = self.inner();
        if inner.settings.as_ref() != Some(&settings) {
            inner.settings = Some(settings);
            inner.settings_unsent = true;
            self.news.notify_one();
        }
    }

    /// Says how far the desired state is applied.
    pub fn set_revision(&self, revision: Revision) {
        let mut inner = self.inner();
        if inner.revision != revision {
            inner.revision = revision;
            inner.revision_unsent = true;
            self.news.notify_one();
        }
    }

    /// A new connection to a server that stands at `revision`: its first report carries settings and revision again, and what
    /// was under way when the last one ended is news again. A revision that this server never sent is not said: its database
    /// comes from a backup, and it sends everything.
    pub fn connected(&self, revision: Revision) {
        let mut inner = self.inner();
        if inner.revision > revision {
            inner.revision = Revision(0);
        }
        let lost = std::mem::take(&mut inner.in_flight);
        inner.unsent.extend(lost);
        inner.settings_unsent = inner.settings.is_some();
        inner.revision_unsent = true;
        self.news.notify_one();
    }

    /// Everything that was last said of objects is news again.
    pub fn say_again(&self) {
        let mut inner = self.inner();
        let all: Vec<ObjectKey> = inner.last.keys().copied().collect();
        inner.unsent.extend(all);
        self.news.notify_one();
    }

    /// Returns when there may be news.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// What is to be sent next; `None` when all is said.
    pub fn take(&self) -> Option<StatusReport> {
        let mut inner = self.inner();
        if inner.unsent.is_empty() && !inner.settings_unsent && !inner.revision_unsent {
            return None;
        }
        let keys: Vec<ObjectKey> = inner.unsent.iter().take(OBJECTS).copied().collect();
        let mut objects = Vec::with_capacity(keys.len());
        for key in keys {
            inner.unsent.remove(&key);
            objects.extend(inner.last.get(&key).cloned());
        }
        inner.in_flight = objects.iter().map(|object: &ObjectStatus| object.key).collect();
        let settings = if inner.settings_unsent {
            inner.settings.clone()
        } else {
            None
        };
        inner.settings_unsent = false;
        inner.revision_unsent = false;
        Some(StatusReport {
            revision: inner.revision,
            settings,
            objects,
        })
    }

    /// A report did not arrive: it is news again, save what newer words replaced.
    pub fn give_back(&self, report: &StatusReport) {
        let mut inner = self.inner();
        inner.in_flight.clear();
        inner
            .unsent
            .extend(report.objects.iter().map(|object| object.key));
        inner.settings_unsent |= report.settings.is_some();
        inner.revision_unsent = true;
    }

    /// A report was refused for what it says: saying it again would be refused again. The revision may be why; until the next
    /// one nothing is said of it.
    pub fn refused(&self) {
        let mut inner = self.inner();
        inner.in_flight.clear();
        inner.revision = Revision(0);
    }

    /// A report arrived: objects that are gone need not be remembered.
    pub fn sent(&self, report: &StatusReport) {
        let mut inner = self.inner();
        inner.in_flight.clear();
        for object in report
            .objects
            .iter()
            .filter(|object| object.phase == StatusPhase::Deleted)
        {
            if inner.last.get(&object.key) == Some(object) {
                inner.last.remove(&object.key);
            }
        }
    }
}

/// The beginning of a text, whole characters only.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// Settings that a server takes: the last alarm says how many there is no room for.
fn within_bounds(mut settings: ClusterSettings) -> ClusterSettings {
    let short = |text: &str, most| cut(text, most).to_owned();
    let alarms = settings.policy_alarms.len();
    if alarms > ALARMS {
        settings.policy_alarms.truncate(ALARMS - 1);
        let more = alarms - settings.policy_alarms.len();
        settings
            .policy_alarms
            .push(format!("{more} more: the status of the ReeveConfig lists them"));
    }
    for alarm in &mut settings.policy_alarms {
        *alarm = short(alarm, MESSAGE);
    }
    settings.dependencies.truncate(ISSUES);
    for dependency in &mut settings.dependencies {
        dependency.reason = short(&dependency.reason, MESSAGE);
    }
    settings.issues.truncate(ISSUES);
    for issue in &mut settings.issues {
        issue.message = short(&issue.message, MESSAGE);
    }
    settings.kubernetes_version = short(&settings.kubernetes_version, VERSION);
    settings.operator_version = short(&settings.operator_version, VERSION);
    settings
}
