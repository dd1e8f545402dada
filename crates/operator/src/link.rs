//! The operator's end of the link: dials out, writes what arrives as custom resources, tells how things stand.
//!
//! [`client`] speaks HTTPS; [`session`] is one connection; [`writer`] writes batches; [`mirrored`] says how each kind is
//! written, and `kinds` lists them; [`written`] remembers what was written and where to resume from; [`drift`] notices when
//! somebody else changes it. A process that has just started asks for everything.
//!
//! It subscribes to the caches and to the index of projects by itself. No controller knows that it is there.

pub mod client;
pub mod completing;
pub mod drift;
mod kinds;
pub mod mirrored;
pub mod pause;
pub mod record;
pub mod retry;
pub mod session;
pub mod writer;
pub mod written;

use std::sync::Arc;

use reeve_kube_kit::{Context, FieldManager};
use tokio::sync::Notify;

use crate::LINK_MANAGER;
use crate::cluster::ClusterState;
use crate::credentials::Credentials;
use crate::projects::Projects;
use crate::shared::Shared;
use crate::status_outbox::StatusOutbox;
use drift::Drift;

/// What all connections of a process share.
#[derive(Debug)]
pub struct Link {
    context: Arc<Context>,
    /// Writes as the link, so that whose each field is can be told from the controllers'.
    writes: FieldManager,
    projects: Arc<Projects>,
    cluster: Arc<ClusterState>,
    outbox: Arc<StatusOutbox>,
    /// Where credentials go: they become no custom resources.
    credentials: Arc<Credentials>,
    drift: Arc<Drift>,
    /// A project's namespace became usable.
    usable: Arc<Notify>,
}

impl Link {
    /// Listens to caches and projects from now on.
    pub fn new(shared: &Shared) -> Arc<Self> {
        let usable = Arc::new(Notify::new());
        let wake = usable.clone();
        shared
            .projects
            .became_usable
            .subscribe(move |_| wake.notify_one());
        let drift = Arc::<Drift>::default();
        for kind in kinds::ALL {
            kind.watch_drift(&shared.caches, &drift, &shared.context);
        }
        Arc::new(Self {
            context: shared.context.clone(),
            writes: shared.context.writes.named(LINK_MANAGER),
            projects: shared.projects.clone(),
            cluster: shared.cluster.clone(),
            outbox: shared.outbox.clone(),
            credentials: shared.credentials.clone(),
            drift,
            usable,
        })
    }
}
