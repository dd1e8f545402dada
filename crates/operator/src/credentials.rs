//! The credentials that the control plane says this cluster is to have, in memory: the link puts them here, one controller writes
//! them as Secrets, and no custom resource holds a value.
//!
//! **Promise.** Nothing counts as gone before a complete state was received to its end: a process that has just started, or whose
//! link is cut off, removes nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reeve_kube_kit::Subscribers;
use reeve_link::{Credential, ObjectKey};
use reeve_types::CredentialAssetId;

/// What is to be there.
#[derive(Debug, Default)]
pub struct Credentials {
    state: Mutex<State>,
    /// One of which something else is known now.
    pub changed: Subscribers<CredentialAssetId>,
    /// A complete state was received: what is not known now is gone.
    pub completed: Subscribers<()>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<CredentialAssetId, Arc<Credential>>,
    named: HashSet<CredentialAssetId>,
    is_complete: bool,
}

/// What is known of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// It is to be there.
    Here(Arc<Credential>),
    /// It is to be nowhere.
    Gone,
    /// Nothing was said of it yet.
    Unknown,
}

impl Credentials {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of one.
    pub fn wanted(&self, id: CredentialAssetId) -> Wanted {
        let state = self.state();
        match state.known.get(&id) {
            Some(credential) => Wanted::Here(credential.clone()),
            None if state.is_complete => Wanted::Gone,
            None => Wanted::Unknown,
        }
    }

    /// The ids of all that are to be there.
    pub fn ids(&self) -> Vec<CredentialAssetId> {
        self.state().known.keys().copied().collect()
    }

    /// A complete state begins anew.
    pub fn begin(&self) {
        self.state().named.clear();
    }

    /// One is to be there.
    pub fn put(&self, credential: Credential) {
        let id = credential.id;
        {
            let mut state = self.state();
            state.named.insert(id);
            state.known.insert(id, Arc::new(credential));
        }
        self.changed.tell(&id);
    }

    /// Those of these that are credentials are to be nowhere. The rest stays in the list.
    pub fn remove_of(&self, keys: &mut Vec<ObjectKey>) {
        keys.retain(|key| {
            let ObjectKey::Credential(id) = *key else {
                return true;
            };
            {
                let mut state = self.state();
                state.named.remove(&id);
                state.known.remove(&id);
            }
            self.changed.tell(&id);
            false
        });
    }

    /// The complete state has come to its end: what it did not name is gone.
    pub fn end(&self) {
        {
            let mut state = self.state();
            let named = std::mem::take(&mut state.named);
            state.known.retain(|id, _| named.contains(id));
            state.is_complete = true;
        }
        self.completed.tell(&());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(number: u128) -> Credential {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let wire = serde_json::json!({"id": id, "name": "a", "kind": "password", "scope": {"type": "cluster"}, "stamp": "1"});
        serde_json::from_value(wire).unwrap()
    }

    /// Planted fault: `wanted` that answers `Gone` without a complete state deletes everything after a restart.
    #[test]
    fn nothing_is_gone_before_a_complete_state_has_ended() {
        let credentials = Credentials::default();
        let (one, two) = (credential(1), credential(2));
        assert_eq!(credentials.wanted(one.id), Wanted::Unknown);
        credentials.begin();
        credentials.put(one.clone());
        credentials.put(two.clone());
        credentials.end();
        assert_eq!(credentials.wanted(credential(3).id), Wanted::Gone);
        // One that is cut off in the middle removes nothing; the next one does.
        credentials.begin();
        credentials.put(one.clone());
        assert_eq!(credentials.wanted(two.id), Wanted::Here(Arc::new(two.clone())));
        credentials.begin();
        credentials.put(two.clone());
        credentials.end();
        assert_eq!(credentials.wanted(one.id), Wanted::Gone);
        let mut keys = vec![
            ObjectKey::Credential(two.id),
            ObjectKey::Project("1".parse().unwrap()),
        ];
        credentials.remove_of(&mut keys);
        assert_eq!(keys, [ObjectKey::Project("1".parse().unwrap())]);
        assert_eq!(credentials.wanted(two.id), Wanted::Gone);
    }
}
