//! A model, of a namespace or of the cluster: its metadata and its templates.

use reeve_serving_crds::{
    AimClusterServiceTemplate, AimModelSpec, AimModelStatus, AimServiceTemplate, ImageMetadata, ModelState,
    SourceType,
};

use super::{Child, Plan, config_component};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::fault::{Component, Dependency, Fault, State};
use crate::model::{NewTemplate, expects_templates, templates, templates_health};
use crate::owner::Parent;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The model, as the owner of its templates.
    pub parent: &'a Parent,
    /// Its namespace; `None` for a model of the cluster.
    pub namespace: Option<&'a str>,
    /// What is wanted.
    pub spec: &'a AimModelSpec,
    /// What was said before.
    pub status: &'a AimModelStatus,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// What the registry said of the image; `None` when it was not asked ([`asks_registry`]).
    pub image: Option<&'a Result<ImageMetadata, Fault>>,
    /// How its templates stand.
    pub templates: &'a [Option<ModelState>],
}

/// Whether the image has to be asked what it is: unless the model says so itself, or that it is not to be asked, or it is known,
/// or nothing depends on it, since the model names its files.
pub fn asks_registry(spec: &AimModelSpec, status: &AimModelStatus) -> bool {
    let wanted = spec.discovery.as_ref().and_then(|d| d.extract_metadata) != Some(false);
    wanted
        && spec.model_sources.is_empty()
        && spec.image_metadata.is_none()
        && status.image_metadata.is_none()
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
    let together = templates_health(seen.templates, expected);
    plan.components
        .push(Component::new(component, Dependency::Downstream).says(
            together.state,
            together.reason,
            together.message,
        ));
    let wanted = templates(&seen.parent.name, seen.spec, known, seen.namespace.is_some());
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
    own.or(asked).or(seen.status.image_metadata.as_ref())
}

fn metadata_component(seen: &Seen<'_>, known: Option<&ImageMetadata>) -> Option<Component> {
    let component = Component::new("ImageMetadata", Dependency::Upstream);
    if let Some(Err(fault)) = seen.image {
        return Some(component.with(fault.clone()));
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
        .child(template.name, seen.namespace, &template.labels, true);
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
