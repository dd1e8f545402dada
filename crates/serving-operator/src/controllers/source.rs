//! AIMClusterModelSource.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::ResourceExt;
use reeve_kube_kit::{Controller, ObjectName, Queue};
use reeve_serving::fault::{Category, Fault};
use reeve_serving::labels::{Controller as Name, PREFIX};
use reeve_serving::names;
use reeve_serving::owner::Parent;
use reeve_serving::plan::source::{REGISTRY, Seen, pause, plan};
use reeve_serving::source::{Filter, Image};
use reeve_serving_crds::{AimClusterModelSource, AimClusterModelSourceSpec};

use super::{itself, owner};
use crate::caches::Caches;
use crate::pass::{PassFailed, Rounds, is_going, is_paused};
use crate::shared::Shared;

/// The controller.
pub(super) fn controller(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, Name::ClusterModelSource, &queue);
    let caches = &shared.caches;
    Controller::new(Name::ClusterModelSource.as_str(), (queue, keys), 1, move |name| {
        pass(rounds.clone(), name)
    })
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
    let found: Vec<_> = source
        .spec
        .filters
        .iter()
        .map(|filter| ask(&source.spec, &Filter::read(filter)))
        .collect();
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

/// What a filter selects. This operator asks no registry yet, and says what to do instead.
fn ask(spec: &AimClusterModelSourceSpec, filter: &Filter) -> Result<BTreeSet<Image>, Fault> {
    let registry = spec
        .registry
        .as_deref()
        .filter(|registry| !registry.is_empty())
        .unwrap_or(REGISTRY);
    match filter.single(registry) {
        Some(image) => Ok(BTreeSet::from([image])),
        None => Err(Fault::new(
            Category::InvalidSpec,
            "RegistryNotAsked",
            format!(
                "this operator does not list registries: name each image with its tag, not `{}`",
                filter.pattern
            ),
        )),
    }
}
