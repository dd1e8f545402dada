//! AIMTemplateCache.

use std::sync::Arc;

use kube::ResourceExt;
use kube::api::Api;
use reeve_kube_kit::{Controller, ObjectName, Queue};
use reeve_serving::labels::{CACHE_FINALIZER, Controller as Name, PREFIX};
use reeve_serving::names;
use reeve_serving::owner::Parent;
use reeve_serving::plan::cache::{Seen, SeenTemplate, goes_with_its_cache, plan};
use reeve_serving_crds::{
    AimArtifact, AimClusterServiceTemplate, AimServiceTemplate, AimServiceTemplateStatus, AimTemplateCache,
    Scope,
};

use super::{PARALLEL, itself};
use crate::caches::Caches;
use crate::config;
use crate::pass::{PassFailed, Rounds, is_going, is_paused};
use crate::shared::Shared;

/// The controller.
pub(super) fn controller(shared: &Arc<Shared>) -> Controller<ObjectName> {
    let (queue, keys) = Queue::new();
    let rounds = Rounds::new(shared, Name::TemplateCache, &queue);
    let caches = &shared.caches;
    let (of_artifact, of_template, of_cluster) = (wake(shared), wake(shared), wake(shared));
    let (configs, cluster_configs) = (wake(shared), wake(shared));
    Controller::new(
        Name::TemplateCache.as_str(),
        (queue, keys),
        PARALLEL,
        move |name| pass(rounds.clone(), name),
    )
    .watches(&caches.template_caches, itself)
    .watches(&caches.artifacts, move |queue, change| {
        let changed = super::named(change);
        of_artifact(queue, &|_, name| name.namespace == changed.namespace);
    })
    .watches(&caches.templates, move |queue, change| {
        let changed = super::named(change);
        of_template(queue, &|cache, name| {
            name.namespace == changed.namespace && cache.spec.template_name == changed.name
        });
    })
    .watches(&caches.cluster_templates, move |queue, change| {
        let changed = super::named(change);
        of_cluster(queue, &|cache, _| cache.spec.template_name == changed.name);
    })
    .watches(&caches.configs, move |queue, change| {
        let changed = super::named(change);
        configs(queue, &|cache, name| uses(cache, name, &changed));
    })
    .watches(&caches.cluster_configs, move |queue, change| {
        let changed = super::named(change);
        cluster_configs(queue, &|cache, name| uses(cache, name, &changed));
    })
}

fn uses(cache: &AimTemplateCache, name: &ObjectName, config: &ObjectName) -> bool {
    super::is_concerned(config, &name.namespace, cache.spec.runtime_config_name.as_deref())
}

type Concerned<'a> = &'a dyn Fn(&AimTemplateCache, &ObjectName) -> bool;

fn wake(shared: &Arc<Shared>) -> impl Fn(&Queue<ObjectName>, Concerned<'_>) + Send + Sync + use<> {
    let shared = Arc::downgrade(shared);
    move |queue, concerned| {
        let Some(shared) = shared.upgrade() else { return };
        for cache in shared.caches.template_caches.all() {
            let name = ObjectName::of(&*cache);
            if concerned(&cache, &name) {
                queue.add(name);
            }
        }
    }
}

async fn pass(rounds: Arc<Rounds>, name: ObjectName) -> Result<(), PassFailed> {
    let caches = &rounds.shared.caches;
    let Some(cache) = caches.template_caches.get(&name) else {
        return Ok(());
    };
    if is_paused(&*cache) {
        return Ok(());
    }
    if is_going(&*cache) {
        return clean_up(&rounds, &cache).await;
    }
    if rounds.finalizer(&*cache, CACHE_FINALIZER, true).await? {
        return Ok(());
    }
    let config = config::in_force(
        caches,
        Some(&name.namespace),
        cache.spec.runtime_config_name.as_deref(),
    );
    let propagation = config
        .as_ref()
        .ok()
        .and_then(|config| config.spec.label_propagation.as_ref());
    let parent =
        Parent::new(AimTemplateCache::KIND, &cache.metadata, rounds.controller).propagating(propagation);
    let template = template(caches, &cache, &name.namespace);
    let artifacts: Vec<AimArtifact> = artifacts(caches, &name.namespace);
    let planned = plan(&Seen {
        cache: &cache,
        parent: &parent,
        namespace: &name.namespace,
        config: &config,
        template: template.as_ref().map(|(kind, generation, status)| SeenTemplate {
            kind,
            generation: *generation,
            status,
        }),
        artifacts: &artifacts,
    });
    rounds.finish(&*cache, planned).await
}

fn artifacts(caches: &Caches, namespace: &str) -> Vec<AimArtifact> {
    let all = caches.artifacts.in_namespace(namespace);
    let there = all.iter().filter(|artifact| !is_going(&***artifact));
    there.map(|artifact| (**artifact).clone()).collect()
}

type Found = (&'static str, Option<i64>, AimServiceTemplateStatus);

/// The template, where the cache says it is; of a scope that is not known the namespace's first.
fn template(caches: &Caches, cache: &AimTemplateCache, namespace: &str) -> Option<Found> {
    let name = &cache.spec.template_name;
    let namespaced = || {
        let template = caches
            .templates
            .get(&ObjectName::namespaced(namespace, name.clone()))?;
        let status = template.status.clone().unwrap_or_default();
        Some((AimServiceTemplate::KIND, template.metadata.generation, status))
    };
    let of_cluster = || {
        let template = caches.cluster_templates.get(&ObjectName::cluster(name.clone()))?;
        let status = template.status.clone().unwrap_or_default();
        Some((
            AimClusterServiceTemplate::KIND,
            template.metadata.generation,
            status,
        ))
    };
    match cache.spec.template_scope {
        Scope::Cluster => of_cluster(),
        Scope::Namespace => namespaced(),
        Scope::Merged | Scope::Unknown => namespaced().or_else(of_cluster),
    }
}

/// Deletes the artifacts that were made for the cache and hold nothing yet, unless the namespace goes anyway.
async fn clean_up(rounds: &Rounds, cache: &AimTemplateCache) -> Result<(), PassFailed> {
    let namespace = cache.namespace().unwrap_or_default();
    let caches = &rounds.shared.caches;
    if !caches.is_ending(&namespace) && cache.finalizers().iter().any(|name| name == CACHE_FINALIZER) {
        let label = format!("{PREFIX}template-cache.name");
        let of_cache = names::label_value(&cache.name_any());
        let client = &rounds.shared.context.client;
        let api = Api::<AimArtifact>::namespaced(client.clone(), &namespace);
        for artifact in caches.artifacts.in_namespace(&namespace) {
            if artifact.labels().get(&label) == Some(&of_cache) && goes_with_its_cache(&artifact) {
                rounds.delete(&api, &*artifact).await?;
            }
        }
    }
    rounds.finalizer(cache, CACHE_FINALIZER, false).await.map(drop)
}
