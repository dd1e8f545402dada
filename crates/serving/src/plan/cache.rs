//! The stored files of a template: one artifact for each source.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use reeve_serving_crds::{
    AimArtifact, AimServiceTemplateStatus, AimTemplateCache, AimTemplateCacheStatus, ModelState,
};

use super::{Child, Plan, config_component, current};
use crate::cache::{condition, health, matched, new_artifact, state, stored};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::fault::{Component, Dependency, Fault, State};
use crate::owner::Parent;

/// The template of a cache.
#[derive(Debug, Clone, Copy)]
pub struct SeenTemplate<'a> {
    /// `AIMServiceTemplate` or `AIMClusterServiceTemplate`.
    pub kind: &'static str,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// How it stands.
    pub status: &'a AimServiceTemplateStatus,
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The cache.
    pub cache: &'a AimTemplateCache,
    /// The cache, as the owner of its artifacts.
    pub parent: &'a Parent,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// Its template.
    pub template: Option<SeenTemplate<'a>>,
    /// Every artifact of the namespace.
    pub artifacts: &'a [AimArtifact],
}

/// Plans a pass.
pub fn plan(seen: &Seen<'_>) -> Plan<AimTemplateCacheStatus> {
    let before = seen.cache.status.clone().unwrap_or_default();
    let mut plan = Plan::new(AimTemplateCacheStatus {
        resolved_runtime_config: seen.config.as_ref().ok().and_then(|config| config.from.clone()),
        resolved_template_kind: seen.template.map(|template| template.kind.to_owned()),
        artifacts: before.artifacts,
        ..AimTemplateCacheStatus::default()
    });
    plan.components
        .push(config_component(seen.config, "ReferenceNotFound"));
    plan.components.push(template_component(seen));
    let sources = seen
        .template
        .map(|template| template.status.model_sources.as_slice())
        .unwrap_or_default();
    let matched = matched(seen.cache, sources, seen.artifacts);
    let together = health(&matched);
    plan.components
        .push(Component::new("Artifacts", Dependency::Downstream).says(
            together.state,
            together.reason,
            together.message,
        ));
    plan.said.push(condition(&matched));
    if let Some(artifacts) = stored(&matched) {
        plan.status.artifacts = artifacts;
    }
    let new = matched.missing.iter().enumerate().map(|(position, source)| {
        let artifact = new_artifact(seen.parent, seen.namespace, &seen.cache.spec, source, position);
        Child::once("Artifacts", &artifact)
    });
    plan.children = new.collect();
    plan
}

fn template_component(seen: &Seen<'_>) -> Component {
    let component = Component::new("ServiceTemplate", Dependency::Upstream);
    let name = &seen.cache.spec.template_name;
    let Some(template) = seen.template else {
        return component.with(Fault::reference_not_found(format!(
            "there is no template `{name}`"
        )));
    };
    let word = current(
        template.generation,
        template.status.observed_generation,
        template.status.status,
    );
    let word = word.map_or(State::Progressing, |word| state(Some(word)));
    match ready(&template.status.conditions) {
        Some(ready) if ready.status == "True" && word == State::Ready => {
            component.says(State::Ready, ready.reason.clone(), "")
        }
        Some(ready) => component.says(
            word,
            ready.reason.clone(),
            format!("the template `{name}`: {}", ready.message),
        ),
        None => component.says(word, "ResourceFound", ""),
    }
}

fn ready(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == "Ready")
}

/// Whether an artifact goes with the cache that it was made for: it holds nothing yet.
pub fn goes_with_its_cache(artifact: &AimArtifact) -> bool {
    artifact.status.as_ref().and_then(|status| status.status) != Some(ModelState::Ready)
}
