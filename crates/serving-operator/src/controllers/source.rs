//! AIMClusterModelSource.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use reeve_kube_kit::{Controller, ObjectName, Queue};
use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::{Controller as Name, PREFIX};
use reeve_serving::names;
use reeve_serving::owner::Parent;
use reeve_serving::plan::source::{REGISTRY, Seen, pause, plan};
use reeve_serving::source::{Asks, Filter, Image};
use reeve_serving_crds::{AimClusterModelSource, AimClusterModelSourceSpec};

use tokio::task::JoinSet;

use super::{PARALLEL, itself, owner};
use crate::caches::Caches;
use crate::pass::{PassFailed, Rounds, is_going, is_paused};
use crate::registry::credentials::Keyring;
use crate::secrets;
use crate::shared::Shared;

/// How long a filter may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many repositories of a filter are asked for their tags.
const REPOSITORIES: usize = 2000;
/// How many of them at once.
const AT_ONCE: usize = 10;

/// The controller.
pub(super) fn controller(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, Name::ClusterModelSource, &queue);
    let caches = &shared.caches;
    Controller::new(
        Name::ClusterModelSource.as_str(),
        (queue, keys),
        PARALLEL,
        move |name| pass(rounds.clone(), name),
    )
    .watches(&caches.sources, itself)
    .watches(&caches.cluster_models, owner(AimClusterModelSource::KIND))
}

async fn pass(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let caches = &rounds.shared.caches;
    let Some(source) = caches.sources.get(&name) else {
        return Ok(());
    };
    if is_paused(&*source) || is_going(&*source) {
        return Ok(());
    }
    let status = source.status.clone().unwrap_or_default();
    let now = rounds.now();
    let pause = pause(&source.spec, &status, source.metadata.generation, &now);
    if !pause.is_zero() {
        rounds.queue.add_after(name, pause);
        return Ok(());
    }
    let parent = Parent::new(AimClusterModelSource::KIND, &source.metadata, rounds.controller);
    let mut found = Vec::with_capacity(source.spec.filters.len());
    for filter in &source.spec.filters {
        found.push(ask(&rounds.shared, &source.spec, &Filter::read(filter)).await);
    }
    // Asking took its time, and the interval begins when it is over.
    let now = rounds.now();
    let planned = plan(&Seen {
        parent: &parent,
        generation: source.metadata.generation,
        spec: &source.spec,
        status: &status,
        existing: &existing(caches, &name.name),
        found: &found,
        now: &now,
    });
    rounds.finish(&*source, planned).await
}

/// The images of the models that the source has made.
fn existing(caches: &Caches, source: &str) -> BTreeSet<String> {
    let label = format!("{PREFIX}model-source");
    let value = names::name_label(source);
    let all = caches.cluster_models.all();
    let of_source = all
        .iter()
        .filter(|model| model.labels().get(&label) == Some(&value));
    of_source.map(|model| model.spec.image.clone()).collect()
}

/// What a filter selects. A pull secret is read only for a filter that the registry has to be asked about.
async fn ask(
    shared: &Shared,
    spec: &AimClusterModelSourceSpec,
    filter: &Filter,
) -> Result<BTreeSet<Image>, Fault> {
    let of_source = spec.registry.as_deref().filter(|registry| !registry.is_empty());
    let of_source = of_source.unwrap_or(REGISTRY);
    let registry = filter.registry.as_deref().unwrap_or(of_source);
    if let Some(image) = filter.single(of_source) {
        return Ok(BTreeSet::from([image]));
    }
    let (client, own) = (&shared.context.client, &shared.settings.namespace);
    let keyring = secrets::keyring(client, own, own, &spec.image_pull_secrets).await?;
    let asking = async {
        let repositories = match filter.asks() {
            Asks::Repositories => {
                let all = shared
                    .registry
                    .repositories(registry, &filter.pattern, &keyring)
                    .await;
                let mut all = all.map_err(|error| error.fault())?;
                all.retain(|repository| filter.takes(repository));
                all
            }
            Asks::Tags | Asks::Nothing => vec![filter.pattern.clone()],
        };
        let tags = tags(shared, registry, repositories, &Arc::new(keyring)).await?;
        let images = tags.into_iter().map(|(repository, tag)| Image {
            registry: registry.to_owned(),
            repository,
            tag,
        });
        Ok(images
            .filter(|image| filter.selects(image, &spec.versions))
            .collect())
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(found) => found,
        Err(_) => Err(Fault::new(
            Category::Infrastructure,
            "NetworkTimeout",
            format!(
                "`{registry}` took longer than {} s to list `{}`",
                PATIENCE.as_secs(),
                filter.pattern
            ),
        )),
    }
}

/// The tags of repositories, a few at once. One whose tags cannot be listed is left out, unless that is so of all of them.
async fn tags(
    shared: &Shared,
    registry: &str,
    repositories: Vec<String>,
    keyring: &Arc<Keyring>,
) -> Result<Vec<(String, String)>, Fault> {
    let (mut found, mut failed, mut answered) = (Vec::new(), None, false);
    let mut waiting = repositories.into_iter().take(REPOSITORIES);
    let mut asked = JoinSet::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some(repository) = waiting.next()
        {
            let (client, registry, keyring) = (shared.registry.clone(), registry.to_owned(), keyring.clone());
            asked.spawn(async move {
                let tags = client.tags(&registry, &repository, &keyring).await;
                (repository, tags)
            });
        }
        match asked.join_next().await {
            None => break,
            Some(Ok((repository, Ok(tags)))) => {
                answered = true;
                found.extend(tags.into_iter().map(|tag| (repository.clone(), tag)));
            }
            Some(Ok((repository, Err(error)))) => {
                tracing::info!(registry, repository, error = %error, "the tags of a repository cannot be listed");
                failed = Some(error.fault());
            }
            Some(Err(_)) => {}
        }
    }
    match failed {
        Some(fault) if !answered => Err(fault),
        _ => Ok(found),
    }
}
