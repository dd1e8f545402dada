//! AIMArtifact.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim};
use kube::ResourceExt;
use reeve_kube_kit::{Change, Controller, ObjectName, Queue};
use reeve_serving::artifact::{Artifact, CHECK_SIZE_CONTAINER, InvalidSizeOutput, size_of_log};
use reeve_serving::inspect;
use reeve_serving::labels::Controller as Name;
use reeve_serving::names::{self, ArtifactPart};
use reeve_serving::owner::Parent;
use reeve_serving::plan::artifact::{ACCOUNT, Seen, SeenJob, plan};
use reeve_serving_crds::AimArtifact;

use super::{PARALLEL, is_concerned, itself, owner};
use crate::caches::OF_ARTIFACT;
use crate::config;
use crate::look::{self, Looked};
use crate::pass::{PassFailed, Rounds, is_going, is_paused};
use crate::shared::Shared;

/// The controller.
pub(super) fn controller(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, Name::Artifact, &queue);
    let caches = &shared.caches;
    let (configs, cluster_configs) = (wake_by_config(shared), wake_by_config(shared));
    let pods = Arc::downgrade(shared);
    Controller::new(Name::Artifact.as_str(), (queue, keys), PARALLEL, move |name| {
        pass(rounds.clone(), name)
    })
    .watches(&caches.artifacts, itself)
    .watches(&caches.claims, owner(AimArtifact::KIND))
    .watches(&caches.artifact_jobs, owner(AimArtifact::KIND))
    .watches(&caches.artifact_pods, move |queue, change| {
        let (Some(shared), Some(pod)) = (pods.upgrade(), change.latest()) else {
            return;
        };
        let namespace = pod.namespace().unwrap_or_default();
        for artifact in shared.caches.artifacts.in_namespace(&namespace) {
            let label = names::name_label(&artifact.name_any());
            if pod.labels().get(OF_ARTIFACT) == Some(&label) {
                queue.add(ObjectName::of(&*artifact));
            }
        }
    })
    .watches(&caches.configs, move |queue, change| {
        configs(queue, &super::named(change))
    })
    .watches(&caches.cluster_configs, move |queue, change: &Change<_>| {
        cluster_configs(queue, &super::named(change));
    })
}

fn wake_by_config(shared: &Arc<Shared>) -> impl Fn(&Queue<ObjectName>, &ObjectName) + Send + Sync + use<> {
    let shared = Arc::downgrade(shared);
    move |queue, changed| {
        let Some(shared) = shared.upgrade() else { return };
        for artifact in shared.caches.artifacts.all() {
            let name = ObjectName::of(&*artifact);
            if is_concerned(
                changed,
                &name.namespace,
                artifact.spec.runtime_config_name.as_deref(),
            ) {
                queue.add(name);
            }
        }
    }
}

async fn pass(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let caches = &rounds.shared.caches;
    let Some(artifact) = caches.artifacts.get(&name) else {
        return Ok(());
    };
    if is_paused(&*artifact) || is_going(&*artifact) {
        return Ok(());
    }
    let config = config::in_force(
        caches,
        Some(&name.namespace),
        artifact.spec.runtime_config_name.as_deref(),
    );
    let propagation = config
        .as_ref()
        .ok()
        .and_then(|config| config.spec.label_propagation.as_ref());
    let parent =
        Parent::new(AimArtifact::KIND, &artifact.metadata, rounds.controller).propagating(propagation);
    let looked = Parts::look(&rounds.shared, &artifact).await;
    let spec = config
        .as_ref()
        .map(|config| config.spec.clone())
        .unwrap_or_default();
    let planned = plan(&Seen {
        artifact: Artifact {
            parent: &parent,
            namespace: &name.namespace,
            spec: &artifact.spec,
            config: &spec,
            service_account: Some(ACCOUNT),
            download_image: rounds.shared.settings.download_image.as_deref(),
        },
        owned: !artifact.owner_references().is_empty(),
        generation: artifact.metadata.generation,
        status: &artifact.status.clone().unwrap_or_default(),
        config: &config,
        check: looked.check.seen(),
        size: looked.size.as_ref(),
        claim: looked.claim.as_deref(),
        claim_events: &looked.claim_events,
        download: looked.download.seen(),
    });
    rounds.finish(&*artifact, planned).await
}

/// A Job and its newest pod.
struct JobAndPod {
    job: Option<Arc<Job>>,
    pod: Option<Looked>,
}

impl JobAndPod {
    async fn look(shared: &Shared, artifact: &AimArtifact, what: ArtifactPart) -> Self {
        let namespace = artifact.namespace().unwrap_or_default();
        let uid = artifact.uid().unwrap_or_default();
        let name = names::artifact_part(&artifact.name_any(), &uid, what);
        let job = shared
            .caches
            .artifact_jobs
            .get(&ObjectName::namespaced(namespace.clone(), name.clone()));
        let pods = shared.caches.artifact_pods.in_namespace(&namespace);
        let pod = look::newest(&pods, &name).filter(|_| job.is_some());
        let pods = look::pods(&shared.context.client, pod.into_iter().collect()).await;
        Self {
            job,
            pod: pods.into_iter().next(),
        }
    }

    fn seen(&self) -> SeenJob<'_> {
        SeenJob {
            job: self.job.as_deref(),
            pod: self.pod.as_ref().map(Looked::seen),
        }
    }
}

/// What an artifact has.
struct Parts {
    check: JobAndPod,
    size: Option<Result<i64, InvalidSizeOutput>>,
    claim: Option<Arc<PersistentVolumeClaim>>,
    claim_events: Vec<Event>,
    download: JobAndPod,
}

impl Parts {
    async fn look(shared: &Shared, artifact: &AimArtifact) -> Self {
        let client = &shared.context.client;
        let check = JobAndPod::look(shared, artifact, ArtifactPart::CheckSize).await;
        let ended = check
            .job
            .as_deref()
            .is_some_and(|job| inspect::is_finished(job) && inspect::job(Some(job)).is_ok());
        let size = match check.pod.as_ref().filter(|_| ended) {
            Some(pod) => look::log(client, pod.seen().pod, CHECK_SIZE_CONTAINER).await,
            None => None,
        };
        let namespace = artifact.namespace().unwrap_or_default();
        let uid = artifact.uid().unwrap_or_default();
        let name = names::artifact_part(&artifact.name_any(), &uid, ArtifactPart::Cache);
        let claim = shared.caches.claims.get(&ObjectName::namespaced(namespace, name));
        let waits = |claim: &&Arc<PersistentVolumeClaim>| {
            claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Pending")
        };
        let claim_events = match claim.as_ref().filter(waits) {
            Some(claim) => look::events(client, &**claim).await,
            None => Vec::new(),
        };
        Self {
            check,
            size: size.map(|log| size_of_log(&log)),
            claim,
            claim_events,
            download: JobAndPod::look(shared, artifact, ArtifactPart::Download).await,
        }
    }
}
