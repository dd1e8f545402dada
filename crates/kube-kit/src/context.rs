//! What every controller is given, whatever kinds it is about.

use std::fmt::{self, Debug, Formatter};

use kube::Client;
use reeve_types::Clock;

use crate::events::Events;
use crate::serve::Readiness;
use crate::write::FieldManager;

/// The surroundings of an operator's controllers. It knows nothing of kinds: what a controller reads are the
/// [`Cache`](crate::Cache)s that it is built with.
pub struct Context {
    /// Speaks to the API server.
    pub client: Client,
    /// Tells the time.
    pub clock: Clock,
    /// Publishes events.
    pub events: Events,
    /// What is missing for readiness.
    pub readiness: Readiness,
    /// Writes objects and statuses as the operator's field manager.
    pub writes: FieldManager,
}

impl Context {
    /// `manager` names the operator in field managers and events.
    pub fn new(client: Client, clock: Clock, manager: &'static str) -> Self {
        Self {
            events: Events::new(client.clone(), manager),
            client,
            clock,
            readiness: Readiness::default(),
            writes: FieldManager::new(manager),
        }
    }
}

impl Debug for Context {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
