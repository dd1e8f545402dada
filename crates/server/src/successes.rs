//! Tokens that are given again and again, summed up in memory: whoever may sign in and asks without a pause does not fill the disk.
//!
//! The first token of each minute is recorded before it is given, with everything that an event says. Those that follow within the
//! minute, of the same credential, session and identity, are counted; when it is over one event says how many there were, the first
//! and the last. So each credential writes at most two events a minute, and nothing is given of which no event was committed
//! before. What is lost when the process is killed is the count of the minute that has begun.
//!
//! An application goes on with its session without a word to the database, as long as the secret that was shown is the one that
//! the session was begun with: a minute's first sign-in compares that in the database, as before.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reeve_store::{AuditEntry, CredentialHash, CredentialNumber, SessionFacts};
use reeve_types::{AccessKeyId, ClusterId, ServiceAccountId, SessionId, Timestamp};

/// For how many seconds tokens are counted after one that was recorded.
const WINDOW_SECONDS: i64 = 60;

/// What tokens are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// Of REST, to an application by this secret.
    Application(ServiceAccountId, CredentialHash),
    /// Of REST, to a program by this secret of an access key.
    AccessKey(AccessKeyId, CredentialHash),
    /// Of a cluster, in this session, saying this.
    Kubernetes {
        /// The cluster.
        cluster: ClusterId,
        /// The session.
        session: SessionId,
        /// As whom containers may run with it, and in which groups: what an event says of it.
        said: String,
    },
    /// Of the link, to a cluster by its secret of this number.
    Link(ClusterId, CredentialNumber),
}

/// What was given under one key since its first event.
#[derive(Debug)]
struct Window {
    /// When the event was recorded that all of these follow.
    opened: Timestamp,
    /// The session, of an application.
    session: Option<SessionFacts>,
    /// The last one; empty counts have the first.
    entry: AuditEntry,
    first: Timestamp,
    count: u64,
}

impl Window {
    fn is_open(&self, now: Timestamp) -> bool {
        // A clock that was set back opens no window for longer.
        self.opened <= now && now < self.opened.plus_seconds(WINDOW_SECONDS)
    }

    fn row(&self) -> AuditEntry {
        let mut row = self.entry.clone();
        // Each of them had its own.
        row.metadata.remove("jti");
        for (name, value) in [
            ("tokens", self.count.to_string()),
            ("first", self.first.to_string()),
            ("last", self.entry.timestamp.to_string()),
        ] {
            row.metadata.insert(name.to_owned(), value);
        }
        row
    }
}

/// An event to write.
#[derive(Debug)]
pub struct Due {
    key: Key,
    count: u64,
    /// The event.
    pub row: AuditEntry,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Successes(Mutex<HashMap<Key, Window>>);

impl Successes {
    fn windows(&self) -> MutexGuard<'_, HashMap<Key, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that an application goes on with, if it does without a word to the database.
    pub fn session(&self, key: &Key, now: Timestamp) -> Option<SessionFacts> {
        let windows = self.windows();
        let window = windows.get(key).filter(|window| window.is_open(now))?;
        window.session.clone()
    }

    /// Counts a token, if one was recorded under this key a moment ago. Otherwise it is to be recorded on its own.
    #[must_use]
    pub fn counted(&self, key: &Key, entry: &AuditEntry) -> bool {
        let mut windows = self.windows();
        let Some(window) = windows
            .get_mut(key)
            .filter(|window| window.is_open(entry.timestamp))
        else {
            return false;
        };
        let before = std::mem::replace(&mut window.entry, entry.clone());
        if let Some(session) = &window.session {
            let said = session.id.to_string();
            window.entry.metadata.insert("session".to_owned(), said);
        }
        if window.count == 0 {
            window.first = entry.timestamp;
        } else if before.source_ip != entry.source_ip {
            window.entry.source_ip = None;
        }
        window.count = window.count.saturating_add(1);
        true
    }

    /// From now on tokens under this key are counted: `entry` was recorded. What an earlier window counted and nobody has written
    /// yet goes on being counted in this one.
    pub fn recorded(&self, key: Key, entry: AuditEntry, session: Option<SessionFacts>) {
        let mut windows = self.windows();
        let opened = entry.timestamp;
        match windows.get_mut(&key) {
            Some(window) => {
                window.opened = opened;
                window.session = session;
            }
            None => {
                let window = Window {
                    opened,
                    session,
                    first: opened,
                    entry,
                    count: 0,
                };
                windows.insert(key, window);
            }
        }
    }

    /// The events to write now; with `all` also of minutes that are not over.
    pub fn due(&self, now: Timestamp, all: bool) -> Vec<Due> {
        let mut windows = self.windows();
        windows.retain(|_, window| window.count > 0 || window.is_open(now));
        let due = windows
            .iter()
            .filter(|(_, window)| window.count > 0 && (all || !window.is_open(now)));
        let mut due: Vec<_> = due
            .map(|(key, window)| Due {
                key: key.clone(),
                count: window.count,
                row: window.row(),
            })
            .collect();
        due.sort_by_key(|due| (due.row.timestamp, due.row.entity_id.clone()));
        due
    }

    /// Says that an event was written: what came since goes into the next.
    pub fn written(&self, due: &Due) {
        if let Some(window) = self.windows().get_mut(&due.key) {
            window.count = window.count.saturating_sub(due.count);
            window.first = window.entry.timestamp;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use reeve_store::{AuditAction, AuditSubject, Outcome};

    use super::*;

    fn given(at: i64) -> AuditEntry {
        AuditEntry {
            timestamp: Timestamp::from_millis(at * 1000),
            request_id: String::new(),
            subject: "ci".to_owned(),
            subject_type: AuditSubject::App,
            source_ip: None,
            action: AuditAction::SignIn,
            http_method: "POST".to_owned(),
            url: "/api/v1/token".to_owned(),
            entity_type: "users".to_owned(),
            entity_name: "ci".to_owned(),
            entity_id: "ci".to_owned(),
            result: Outcome::Succeeded,
            http_status_code: 200,
            cluster_id: None,
            metadata: BTreeMap::from([("jti".to_owned(), at.to_string())]),
        }
    }

    fn key(secret: &str) -> Key {
        let id = "123e4567-e89b-12d3-a456-426614174000".parse().unwrap();
        Key::Application(id, CredentialHash::new(secret.to_owned()))
    }

    #[test]
    fn two_events_a_minute_count_all_however_many_there_are() {
        let successes = Successes::default();
        let (mut recorded, mut summed) = (0_u64, Vec::new());
        // Ten a second, for ten minutes.
        for at in 0..600 {
            for _ in 0..10 {
                if !successes.counted(&key("a"), &given(at)) {
                    recorded += 1;
                    successes.recorded(key("a"), given(at), None);
                }
            }
            for due in successes.due(given(at).timestamp, false) {
                summed.push(due.row.metadata["tokens"].parse::<u64>().unwrap());
                successes.written(&due);
            }
        }
        for due in successes.due(given(600).timestamp, true) {
            summed.push(due.row.metadata["tokens"].parse::<u64>().unwrap());
            assert!(
                !due.row.metadata.contains_key("jti"),
                "that of one of them says nothing"
            );
            successes.written(&due);
        }
        assert_eq!(recorded + summed.iter().sum::<u64>(), 6000, "none is lost");
        assert!(
            recorded <= 10 && summed.len() <= 11,
            "{recorded} and {}",
            summed.len()
        );
        assert!(successes.due(given(700).timestamp, true).is_empty());
        assert_eq!(successes.windows().len(), 0, "what is over is forgotten");
    }

    #[test]
    fn another_secret_and_a_clock_that_was_set_back_are_recorded_on_their_own() {
        let successes = Successes::default();
        successes.recorded(key("a"), given(100), None);
        assert!(successes.counted(&key("a"), &given(159)));
        assert!(!successes.counted(&key("a"), &given(160)));
        assert!(!successes.counted(&key("a"), &given(99)));
        assert!(!successes.counted(&key("b"), &given(100)));
    }
}
