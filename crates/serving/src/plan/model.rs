//! A model, of a namespace or of the cluster: its metadata and its templates.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_serving_crds::{
    AimClusterServiceTemplate, AimModelSpec, AimModelStatus, AimServiceTemplate, ImageMetadata, ModelState,
    Scope, SourceType,
};

use super::{Child, Plan, config_component, current};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::fault::{Category, Component, Dependency, Fault, State};
use crate::image::ImageReference;
use crate::model::{NewTemplate, expects_templates, templates, templates_health};
use crate::owner::Parent;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The model, as the owner of its templates.
    pub parent: &'a Parent,
    /// Its namespace; `None` for a model of the cluster.
    pub namespace: Option<&'a str>,
    /// The generation of its spec.
    pub generation: Option<i64>,
    /// What is wanted.
    pub spec: &'a AimModelSpec,
    /// What was said before.
    pub status: &'a AimModelStatus,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// What the registry said of the image; `None` when it was not asked ([`asks_registry`]).
    pub image: Option<&'a Result<ImageMetadata, Fault>>,
    /// Its templates.
    pub templates: &'a [SeenTemplate],
}

/// A template of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTemplate {
    /// Its name.
    pub name: String,
    /// Whether the model owns it.
    pub owned: bool,
    /// How it stands, of its present generation.
    pub state: Option<ModelState>,
}

/// Whether the image has to be asked what it is: unless the model says so itself, or that it is not to be asked, or it is known,
/// or nothing depends on it, since the model names its files.
pub fn asks_registry(spec: &AimModelSpec, status: &AimModelStatus, generation: Option<i64>) -> bool {
    let wanted = spec.discovery.as_ref().and_then(|d| d.extract_metadata) != Some(false);
    wanted
        && spec.model_sources.is_empty()
        && spec.image_metadata.is_none()
        && remembered(status, generation).is_none()
}

/// What the status says of the image, if that speaks of the spec as it is: before, the model may have had another image, or have
/// said itself what it is.
fn remembered(status: &AimModelStatus, generation: Option<i64>) -> Option<&ImageMetadata> {
    current(
        generation,
        status.observed_generation,
        status.image_metadata.as_ref(),
    )
}

/// Whether a template, by its metadata, is one that a model made for an earlier spec: the model owns it and makes no such template
/// now. While the model is still to be asked what it is, none is.
pub(crate) fn leftovers<'a>(
    name: &str,
    metadata: &'a ObjectMeta,
    spec: &AimModelSpec,
    status: Option<&AimModelStatus>,
    scope: Scope,
) -> impl Fn(&ObjectMeta) -> bool + use<'a> {
    let known = status.and_then(|status| remembered(status, metadata.generation));
    let is_known = expects_templates(spec, known).is_some();
    let wanted: BTreeSet<String> = templates(name, spec, known, scope == Scope::Namespace)
        .into_iter()
        .map(|template| template.name)
        .collect();
    move |template| {
        let owners = template.owner_references.as_deref().unwrap_or_default();
        let is_owned = owners
            .iter()
            .any(|owner| Some(&owner.uid) == metadata.uid.as_ref());
        let is_wanted = template.name.as_ref().is_some_and(|name| wanted.contains(name));
        is_known && is_owned && !is_wanted
    }
}

/// Plans a pass.
pub fn plan(seen: &Seen<'_>) -> Plan<AimModelStatus> {
    let known = known(seen);
    let mut plan = Plan::new(AimModelStatus {
        source_type: Some(if seen.spec.model_sources.is_empty() {
            SourceType::Image
        } else {
            SourceType::Custom
        }),
        image_metadata: known.cloned(),
        resolved_runtime_config: seen.config.as_ref().ok().and_then(|config| config.from.clone()),
        ..AimModelStatus::default()
    });
    let (config_reason, component) = match seen.namespace {
        Some(_) => ("ConfigNotFound", "ServiceTemplates"),
        None => ("ReferenceNotFound", "ClusterServiceTemplates"),
    };
    plan.components.push(config_component(seen.config, config_reason));
    plan.components.extend(metadata_component(seen, known));
    let expected = expects_templates(seen.spec, known);
    let wanted = templates(&seen.parent.name, seen.spec, known, seen.namespace.is_some());
    // What was made for an earlier spec stays, since services may use it, and says nothing of this one.
    let counts = |template: &&SeenTemplate| {
        !template.owned || expected.is_none() || wanted.iter().any(|new| new.name == template.name)
    };
    let states: Vec<Option<ModelState>> = seen
        .templates
        .iter()
        .filter(counts)
        .map(|template| template.state)
        .collect();
    let together = templates_health(&states, expected);
    plan.components
        .push(Component::new(component, Dependency::Downstream).says(
            together.state,
            together.reason,
            together.message,
        ));
    plan.children = wanted
        .into_iter()
        .map(|template| child(seen, component, template))
        .collect();
    plan
}

/// What is known of the image: what the model says itself, else what the registry says now, else what it said before.
fn known<'a>(seen: &Seen<'a>) -> Option<&'a ImageMetadata> {
    let asked = seen.image.and_then(|image| image.as_ref().ok());
    let own = seen.spec.image_metadata.as_ref();
    own.or(asked).or_else(|| remembered(seen.status, seen.generation))
}

fn metadata_component(seen: &Seen<'_>, known: Option<&ImageMetadata>) -> Option<Component> {
    let component = Component::new("ImageMetadata", Dependency::Upstream);
    if let Some(Err(fault)) = seen.image {
        return Some(component.with(fault.clone()));
    }
    if let (None, Err(invalid)) = (seen.image, ImageReference::parse(&seen.spec.image)) {
        let fault = Fault::new(
            Category::InvalidSpec,
            "InvalidImageReference",
            invalid.to_string(),
        );
        return Some(component.with(fault));
    }
    let model = known?.model.as_ref();
    let reason = match model.and_then(|model| model.canonical_name.as_ref()) {
        Some(_) => "ImageMetadataFound",
        None => "ImageFound",
    };
    Some(component.says(State::Ready, reason, ""))
}

fn child(seen: &Seen<'_>, component: &'static str, template: NewTemplate) -> Child {
    let metadata = seen
        .parent
        .part(template.name, seen.namespace, &template.labels, true);
    let spec = template.spec;
    match seen.namespace {
        Some(_) => Child::kept(
            component,
            &AimServiceTemplate {
                metadata,
                spec,
                status: None,
            },
        ),
        None => Child::kept(
            component,
            &AimClusterServiceTemplate {
                metadata,
                spec,
                status: None,
            },
        ),
    }
}
