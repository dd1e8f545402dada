//! Which artifacts a cache has, which it lacks, and how it stands.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use reeve_serving_crds::{
    AimArtifact, AimArtifactSpec, AimTemplateCache, AimTemplateCacheSpec, CacheMode, CachedArtifact,
    ModelSource, ModelState,
};

use crate::artifact;
use crate::engine::Said;
use crate::env;
use crate::fault::{Health, State};
use crate::labels;
use crate::names;
use crate::owner::Parent;
use crate::quantity;

/// The artifacts of a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched<'a> {
    /// Those that are there, one for each source.
    pub found: Vec<(&'a ModelSource, &'a AimArtifact)>,
    /// The sources that have none.
    pub missing: Vec<&'a ModelSource>,
}

/// Finds the artifact of each source: same address, a storage class that fits, a status, and the right owner. A shared one
/// belongs to nobody, a dedicated one to this cache. Of several the one that stands best; of equals the one that the cache would make
/// itself, so that what an earlier spec left behind does not come between, else the first.
pub fn matched<'a>(
    cache: &AimTemplateCache,
    sources: &'a [ModelSource],
    artifacts: &'a [AimArtifact],
) -> Matched<'a> {
    let mut all = Matched {
        found: Vec::new(),
        missing: Vec::new(),
    };
    for source in sources {
        let fitting = artifacts.iter().filter(|artifact| fits(cache, source, artifact));
        let own = own_name(cache, source);
        let rank =
            |artifact: &AimArtifact| (state_of(artifact), artifact.metadata.name.as_ref() == Some(&own));
        let best = fitting.fold(None, |best: Option<&AimArtifact>, artifact| match best {
            Some(best) if rank(best) >= rank(artifact) => Some(best),
            _ => Some(artifact),
        });
        match best {
            Some(artifact) => all.found.push((source, artifact)),
            None => all.missing.push(source),
        }
    }
    all
}

/// The name of the artifact that the cache would make for a source.
fn own_name(cache: &AimTemplateCache, source: &ModelSource) -> String {
    let (spec, name) = (&cache.spec, cache.metadata.name.as_deref());
    artifact::name(
        source,
        &env::merge(&spec.env, &source.env),
        spec.storage_class_name.as_deref().unwrap_or_default(),
        spec.mode.unwrap_or_default(),
        name.unwrap_or_default(),
    )
}

fn fits(cache: &AimTemplateCache, source: &ModelSource, artifact: &AimArtifact) -> bool {
    let class = |class: &Option<String>| class.clone().unwrap_or_default();
    let wanted = class(&cache.spec.storage_class_name);
    let owners = artifact.metadata.owner_references.as_deref().unwrap_or_default();
    let owned_rightly = match cache.spec.mode.unwrap_or_default() {
        CacheMode::Shared => owners.is_empty(),
        CacheMode::Dedicated => owners
            .iter()
            .any(|owner| Some(&owner.uid) == cache.metadata.uid.as_ref()),
    };
    artifact.spec.source_uri == source.source_uri
        && (wanted.is_empty() || wanted == class(&artifact.spec.storage_class_name))
        && artifact
            .status
            .as_ref()
            .is_some_and(|status| status.status.is_some())
        && owned_rightly
}

fn state_of(artifact: &AimArtifact) -> State {
    state(artifact.status.as_ref().and_then(|status| status.status))
}

/// A status word as a state. Empty is as bad as failed.
pub const fn state(word: Option<ModelState>) -> State {
    match word {
        Some(ModelState::Ready) => State::Ready,
        Some(ModelState::Progressing) => State::Progressing,
        Some(ModelState::Pending) => State::Pending,
        Some(ModelState::Degraded) => State::Degraded,
        Some(ModelState::NotAvailable) => State::NotAvailable,
        Some(ModelState::Failed) | None => State::Failed,
    }
}

/// The artifact to make for a missing source; `position` among the missing ones.
pub fn new_artifact(
    parent: &Parent,
    namespace: &str,
    cache: &AimTemplateCacheSpec,
    source: &ModelSource,
    position: usize,
) -> AimArtifact {
    let mode = cache.mode.unwrap_or_default();
    let variables: Vec<EnvVar> = env::merge(&cache.env, &source.env);
    let class = cache.storage_class_name.clone().filter(|class| !class.is_empty());
    let name = artifact::name(
        source,
        &variables,
        class.as_deref().unwrap_or_default(),
        mode,
        &parent.name,
    );
    let mut own = labels::labels([
        ("template.name", &names::name_label(&cache.template_name)),
        ("template.scope", scope(cache)),
        ("template.index", &position.to_string()),
        ("template-cache.name", &names::label_value(&parent.name)),
    ]);
    own.insert("template-created".to_owned(), "true".to_owned());
    AimArtifact {
        metadata: parent.part(name, Some(namespace), &own, mode == CacheMode::Dedicated),
        spec: AimArtifactSpec {
            source_uri: source.source_uri.clone(),
            model_id: Some(source.model_id.clone()),
            storage_class_name: class,
            size: quantity::known_size(source.size.as_ref()).and(source.size.clone()),
            env: variables,
            runtime_config_name: cache.runtime_config_name.clone().filter(|name| !name.is_empty()),
            ..AimArtifactSpec::default()
        },
        status: None,
    }
}

const fn scope(cache: &AimTemplateCacheSpec) -> &'static str {
    use reeve_serving_crds::Scope;
    match cache.template_scope {
        Scope::Namespace => "Namespace",
        Scope::Cluster => "Cluster",
        Scope::Merged | Scope::Unknown => "Unknown",
    }
}

/// How the component `Artifacts` stands: as the worst that is there.
pub fn health(matched: &Matched<'_>) -> Health {
    let worst = matched.found.iter().map(|(_, artifact)| state_of(artifact)).min();
    match worst {
        None => Health::new(State::Progressing, "CreatingCaches", "artifacts are being made"),
        Some(State::Ready) if matched.missing.is_empty() => Health::new(State::Ready, "AllCachesReady", ""),
        Some(State::Ready) => Health::new(State::Progressing, "CreatingCaches", "artifacts are being made"),
        Some(worst) => {
            let (reason, message) = worst_reason(matched, worst);
            Health::new(worst, reason, message)
        }
    }
}

/// The worst artifact's own words: who reads the cache's status is to see what the download said.
fn worst_reason(matched: &Matched<'_>, worst: State) -> (String, String) {
    let artifact = matched
        .found
        .iter()
        .map(|(_, artifact)| *artifact)
        .find(|artifact| state_of(artifact) == worst);
    let conditions = artifact
        .and_then(|a| a.status.as_ref())
        .map(|s| s.conditions.as_slice())
        .unwrap_or_default();
    let ready: Option<&Condition> = conditions.iter().find(|condition| condition.type_ == "Ready");
    let name = artifact.and_then(|a| a.metadata.name.clone()).unwrap_or_default();
    match ready {
        Some(ready) => (
            ready.reason.clone(),
            format!("artifact `{name}`: {}", ready.message),
        ),
        None => (
            "CachesNotReady".to_owned(),
            format!("artifact `{name}` is not ready"),
        ),
    }
}

/// The condition `ArtifactsReady`, said once.
pub fn condition(matched: &Matched<'_>) -> Said {
    if matched.found.is_empty() && matched.missing.is_empty() {
        return Said::new(
            "ArtifactsReady",
            false,
            "NoCaches",
            "the template has no model sources",
        );
    }
    if !matched.missing.is_empty() {
        let message = format!(
            "{} of {} artifacts are being made",
            matched.missing.len(),
            matched.missing.len() + matched.found.len()
        );
        return Said::new("ArtifactsReady", false, "CreatingCaches", message);
    }
    let health = health(matched);
    Said::new(
        "ArtifactsReady",
        health.state == State::Ready,
        health.reason,
        health.message,
    )
}

/// `status.artifacts`; `None`: leave it as it is, something is still to be made.
pub fn stored(matched: &Matched<'_>) -> Option<BTreeMap<String, CachedArtifact>> {
    if !matched.missing.is_empty() {
        return None;
    }
    let entry = |(source, artifact): &(&ModelSource, &AimArtifact)| {
        let name = artifact.metadata.name.clone().unwrap_or_default();
        let status = artifact.status.as_ref();
        let stored = CachedArtifact {
            uid: artifact.metadata.uid.clone().unwrap_or_default(),
            name: name.clone(),
            model: source.model_id.clone(),
            status: status.and_then(|s| s.status).unwrap_or_default(),
            persistent_volume_claim: status.and_then(|s| s.persistent_volume_claim.clone()),
            mount_point: None,
        };
        (name, stored)
    };
    Some(matched.found.iter().map(entry).collect())
}
