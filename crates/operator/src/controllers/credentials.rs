//! Credentials of the control plane → Secrets in `reeve-secrets`, from where they are copied like those that somebody made there.
//!
//! Each is compared with what the watch of that namespace shows: what somebody changed or removed is written again, and nothing is
//! written that is there. What the control plane took away goes, when it has said so or when a complete state did not name it. A
//! Secret that has the name and not the mark stays as it is, and is named.

mod report;
mod write;

use std::sync::Arc;
use std::time::Duration;

use reeve_admission::names;
use reeve_kube_kit::{Controller, ObjectName, Queue};
use reeve_link::{Credential, ObjectKey, StatusPhase};
use reeve_tenancy::credentials::{credential_of, is_same, source, source_name};
use reeve_types::CredentialAssetId;

use crate::caches::Caches;
use crate::credentials::{Credentials, Wanted};
use crate::secret_reports::SecretReports;
use crate::secret_sources::SecretSources;
use crate::settings;
use crate::shared::Shared;
use crate::status_outbox::StatusOutbox;
pub use report::{Standing, of_projects};
pub use write::SourceFailed;
use write::Sources;

/// How many are written at once.
const PARALLEL: usize = 4;
/// How long news of projects is gathered before it is told.
const GATHER: Duration = Duration::from_millis(300);

/// The controller of credentials, by id.
pub fn controller(shared: &Shared) -> Controller<CredentialAssetId> {
    let reconciler = Arc::new(Reconciler {
        caches: shared.caches.clone(),
        credentials: shared.credentials.clone(),
        sources: shared.secret_sources.clone(),
        reports: shared.secret_reports.clone(),
        outbox: shared.outbox.clone(),
        writes: Sources::new(shared.context.clone()),
    });
    let all = || {
        let (credentials, sources) = (shared.credentials.clone(), shared.secret_sources.clone());
        move |queue: &Queue<CredentialAssetId>, pause: Duration| {
            // What is there and not known may have to go.
            let there = sources.caches().flat_map(|cache| cache.all());
            let there = there.filter_map(|secret| credential_of(&secret));
            for id in credentials.ids().into_iter().chain(there) {
                queue.add_after(id, pause);
            }
        }
    };
    let (completed, listed, reported, of_projects, of_settings) = (all(), all(), all(), all(), all());
    let mut controller = Controller::new("credentials", Queue::new(), PARALLEL, move |id| {
        reconciler.clone().reconcile(id)
    })
    .hears(&shared.credentials.changed, |queue, id| queue.add(*id))
    .hears(&shared.credentials.completed, move |queue, ()| {
        completed(queue, Duration::ZERO);
    })
    .hears(&shared.secret_sources.listed, move |queue, ()| {
        listed(queue, Duration::ZERO);
    })
    .hears(&shared.secret_reports.changed, move |queue, _| {
        reported(queue, GATHER);
    })
    .watches(&shared.caches.projects, move |queue, _| {
        of_projects(queue, GATHER);
    })
    .watches(&shared.caches.configs, move |queue, change| {
        if settings::have_changed(change) {
            of_settings(queue, Duration::ZERO);
        }
    });
    for cache in shared.secret_sources.caches() {
        controller = controller.watches(cache, |queue, change| {
            let both = change.old.iter().chain(&change.new);
            both.filter_map(|secret| credential_of(secret))
                .for_each(|id| queue.add(id));
        });
    }
    controller
}

struct Reconciler {
    caches: Arc<Caches>,
    credentials: Arc<Credentials>,
    sources: Arc<SecretSources>,
    reports: Arc<SecretReports>,
    outbox: Arc<StatusOutbox>,
    writes: Sources,
}

impl Reconciler {
    async fn reconcile(self: Arc<Self>, id: CredentialAssetId) -> Result<(), SourceFailed> {
        let key = ObjectKey::Credential(id);
        let wanted = self.credentials.wanted(id);
        if !settings::propagates_secrets(&self.caches.settings()) {
            if let Wanted::Here(_) = wanted {
                self.outbox.set(key, StatusPhase::NotReady, report::OFF);
            }
            return Ok(());
        }
        // A list that is not complete says nothing; its end wakes this again.
        if self.sources.all().is_err() {
            if let Wanted::Here(_) = wanted {
                self.outbox.set(key, StatusPhase::Creating, report::NOT_LISTED);
            }
            return Ok(());
        }
        match wanted {
            Wanted::Unknown => Ok(()),
            Wanted::Gone => self.remove(id).await,
            Wanted::Here(credential) => self.keep(&credential).await,
        }
    }

    async fn remove(&self, id: CredentialAssetId) -> Result<(), SourceFailed> {
        let there = self.sources.caches().flat_map(|cache| cache.all());
        if there.into_iter().any(|it| credential_of(&it) == Some(id)) {
            self.writes.remove(id).await?;
            tracing::info!(credential = %id, "credential removed");
        }
        self.outbox
            .set(ObjectKey::Credential(id), StatusPhase::Deleted, "");
        Ok(())
    }

    async fn keep(&self, credential: &Credential) -> Result<(), SourceFailed> {
        let key = ObjectKey::Credential(credential.id);
        let name = ObjectName::namespaced(names::SECRETS_NAMESPACE, source_name(credential.id));
        let actual = self.sources.caches().find_map(|cache| cache.get(&name));
        let Some(wanted) = source(credential) else {
            self.outbox.set(key, StatusPhase::NotReady, report::CLOSED);
            return Ok(());
        };
        let is_there = actual.as_ref().is_some_and(|actual| is_same(actual, &wanted));
        if !is_there && let Err(failed) = self.writes.write(credential.id, &wanted, actual.as_deref()).await {
            let why = reeve_types::ErrorChain(&failed).to_string();
            self.outbox.set(key, StatusPhase::NotReady, &why);
            return Err(failed);
        }
        if !is_there {
            tracing::info!(credential = %credential.id, name = %credential.name, "credential written");
        }
        let (phase, message) = of_projects(&self.standings(credential, &wanted));
        self.outbox.set(key, phase, &message);
        Ok(())
    }

    /// How it stands in each project that it is for.
    fn standings(
        &self,
        credential: &Credential,
        source: &k8s_openapi::api::core::v1::Secret,
    ) -> Vec<Standing> {
        let origin = format!("{}/{}", names::SECRETS_NAMESPACE, source_name(credential.id));
        let projects = self.caches.projects.all();
        let mut standings = Vec::new();
        for object in projects {
            let Ok(project) = object.checked() else {
                continue;
            };
            if reeve_tenancy::secrets::audience(&project, source).is_none() {
                continue;
            }
            let report = self.reports.of(&project.namespace, project.id);
            let said = report.as_ref().and_then(|report| {
                let mut copies = report.secrets.iter();
                copies.find(|copy| copy.from == origin).cloned()
            });
            standings.push(Standing {
                project: project.name.to_string(),
                said,
                why_not: report
                    .filter(|it| it.propagated == Some(false))
                    .map(|it| it.message.clone()),
            });
        }
        standings.sort_by(|one, other| one.project.cmp(&other.project));
        standings
    }
}
