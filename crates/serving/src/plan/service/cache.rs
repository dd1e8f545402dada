//! The stored files of a service's template.

use reeve_serving_crds::{
    AimRuntimeConfigSpec, AimServiceStatus, AimTemplateCache, AimTemplateCacheSpec, CacheMode, CacheStatus,
    ModelState, ResolvedReference,
};

use super::Seen;
use super::template::Template;
use crate::env;
use crate::fault::{Component, Dependency, State};
use crate::labels;
use crate::names;
use crate::plan::{Child, Plan, current, with_cause};
use crate::service::{cache_health, cache_mode};

/// The cache, once it is ready, or nothing where none is needed.
#[derive(Debug)]
pub(super) enum Files<'a> {
    Stored(&'a AimTemplateCache),
    NotNeeded,
}

/// The files of the template, with the component `Cache`. A cache that is missing is planned, also while its files are in use.
pub(super) fn resolve<'a>(
    seen: &Seen<'a>,
    template: Option<&Template<'a>>,
    config: &AimRuntimeConfigSpec,
    plan: &mut Plan<AimServiceStatus>,
) -> Option<Files<'a>> {
    let component = Component::new("Cache", Dependency::Downstream);
    let needs = |t: &Template<'_>| t.status.is_some_and(|status| !status.model_sources.is_empty());
    if template.is_some_and(|template| !needs(template)) {
        plan.components
            .push(component.says(State::Ready, "CacheReady", "the template needs no files"));
        return Some(Files::NotNeeded);
    }
    let mode = cache_mode(&seen.service.spec);
    let cache = recorded(seen, plan.status.cache.as_ref()).or_else(|| find(seen, template?, mode));
    let health = cache_health(cache.map(state), mode, mounts_files(seen));
    let conditions = cache
        .and_then(|cache| cache.status.as_ref())
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let health = with_cause(health, conditions);
    plan.components
        .push(component.says(health.state, health.reason, health.message));
    match (cache, template) {
        (Some(cache), _) => {
            let ready = state(cache) == Some(ModelState::Ready);
            if ready {
                plan.status.cache = Some(reference(cache));
            }
            Some(Files::Stored(cache)).filter(|_| ready)
        }
        (None, Some(template)) => {
            plan.children
                .push(Child::once("Cache", &new(seen, template, config, mode)));
            None
        }
        (None, None) => None,
    }
}

fn state(cache: &AimTemplateCache) -> Option<ModelState> {
    let status = cache.status.as_ref()?;
    current(
        cache.metadata.generation,
        status.observed_generation,
        status.status,
    )
}

fn recorded<'a>(seen: &Seen<'a>, before: Option<&CacheStatus>) -> Option<&'a AimTemplateCache> {
    let before = before?.template_cache_ref.as_ref()?;
    let mut same = seen
        .caches
        .iter()
        .filter(|cache| cache.metadata.name == before.name && cache.metadata.uid == before.uid);
    same.next()
        .filter(|cache| state(cache) == Some(ModelState::Ready))
}

/// Of a shared one's namesakes the one that stands best; a dedicated one is this service's alone.
fn find<'a>(seen: &Seen<'a>, template: &Template<'a>, mode: CacheMode) -> Option<&'a AimTemplateCache> {
    let of_mode = seen
        .caches
        .iter()
        .filter(|cache| cache.metadata.deletion_timestamp.is_none())
        .filter(|cache| cache.spec.mode.unwrap_or_default() == mode);
    if mode == CacheMode::Dedicated {
        let name = names::dedicated_cache(template.name(), &seen.parent.name, seen.uid());
        let mut of_name = of_mode.filter(|cache| cache.metadata.name.as_deref() == Some(&name));
        return of_name.find(|cache| {
            let owners = cache.metadata.owner_references.as_deref().unwrap_or_default();
            owners.iter().any(|owner| owner.uid == seen.uid())
        });
    }
    of_mode
        .filter(|cache| cache.spec.template_name == template.name())
        .max_by_key(|cache| crate::cache::state(state(cache)))
}

fn mounts_files(seen: &Seen<'_>) -> bool {
    let volumes = seen
        .inference
        .and_then(|inference| inference.pointer("/spec/predictor/volumes"));
    let mut volumes = volumes
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten();
    volumes.any(|volume| volume.get("persistentVolumeClaim").is_some())
}

fn reference(cache: &AimTemplateCache) -> CacheStatus {
    CacheStatus {
        template_cache_ref: Some(ResolvedReference {
            name: cache.metadata.name.clone(),
            namespace: cache.metadata.namespace.clone(),
            uid: cache.metadata.uid.clone(),
            ..ResolvedReference::default()
        }),
        retry_attempts: None,
    }
}

fn new(
    seen: &Seen<'_>,
    template: &Template<'_>,
    config: &AimRuntimeConfigSpec,
    mode: CacheMode,
) -> AimTemplateCache {
    let dedicated = mode == CacheMode::Dedicated;
    let name = if dedicated {
        names::dedicated_cache(template.name(), &seen.parent.name, seen.uid())
    } else {
        names::shared_cache(template.name(), seen.namespace)
    };
    let own = labels::labels([("service", &names::label_value(&seen.parent.name))]);
    let of_template = template
        .spec
        .caching
        .as_ref()
        .map(|caching| caching.env.as_slice());
    let env = env::merge(&template.spec.env, of_template.unwrap_or_default());
    let service = &seen.service.spec;
    let class = |storage: Option<&reeve_serving_crds::StorageConfig>| {
        storage?
            .default_storage_class_name
            .clone()
            .filter(|class| !class.is_empty())
    };
    AimTemplateCache {
        metadata: seen.parent.part(name, Some(seen.namespace), &own, dedicated),
        spec: AimTemplateCacheSpec {
            template_name: template.name().to_owned(),
            template_scope: template.scope,
            storage_class_name: class(service.storage.as_ref()).or_else(|| class(config.storage.as_ref())),
            runtime_config_name: service
                .runtime_config_name
                .clone()
                .filter(|name| !name.is_empty()),
            mode: Some(mode),
            env: env::merge(&env, &service.env),
            ..AimTemplateCacheSpec::default()
        },
        status: None,
    }
}
