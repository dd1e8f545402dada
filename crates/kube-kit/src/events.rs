//! Events: said once when something becomes so, not on every pass.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use reeve_types::ErrorChain;

use crate::error::ClientError;

/// What an event note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNote<'a> {
    /// A warning, or news.
    pub warning: bool,
    /// One CamelCase word.
    pub reason: &'a str,
    /// For people; at most 1 kB of it are kept.
    pub note: &'a str,
}

/// Publishes events of one component.
pub struct Events {
    recorder: Recorder,
    last: Mutex<HashMap<(String, String), (String, String)>>,
}

impl Events {
    /// Publishes as `controller`.
    pub fn new(client: Client, controller: &str) -> Self {
        let reporter = Reporter {
            controller: controller.to_owned(),
            instance: None,
        };
        Self {
            recorder: Recorder::new(client, reporter),
            last: Mutex::default(),
        }
    }

    /// Publishes, unless this was the last thing said about the object in this `action`. An event that cannot be
    /// published is logged and otherwise forgotten: it is news of an effect, never the effect.
    pub async fn publish<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        action: &str,
        note: &EventNote<'_>,
    ) {
        let reference = object.object_ref(&());
        if !self.is_news(&reference, action, note) {
            return;
        }
        let text: String = note.note.chars().take(900).collect();
        let event = Event {
            type_: if note.warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: note.reason.to_owned(),
            note: Some(text),
            action: action.to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            let error = ClientError::from(error);
            tracing::warn!(reason = note.reason, object = ?reference.name, error = %ErrorChain(&error), "event not published");
        }
    }

    /// Forgets an object that is gone.
    pub fn forget<K: Resource<DynamicType = ()>>(&self, object: &K) {
        let id = id(&object.object_ref(&()));
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(known, _), _| *known != id);
    }

    fn is_news(&self, reference: &ObjectReference, action: &str, note: &EventNote<'_>) -> bool {
        let said = (note.reason.to_owned(), note.note.to_owned());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert((id(reference), action.to_owned()), said.clone()) != Some(said)
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

fn id(reference: &ObjectReference) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}/{}/{}/{}",
        part(&reference.kind),
        part(&reference.namespace),
        part(&reference.name),
        part(&reference.uid)
    )
}
