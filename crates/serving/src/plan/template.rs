//! A template, of a namespace or of the cluster: discovery, the GPU it needs, its cache.

mod discovery;
mod status;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use reeve_serving_crds::{
    AimModelSpec, AimServiceTemplateSpec, AimServiceTemplateStatus, AimTemplateCache, AimTemplateCacheSpec,
    ModelState, Scope,
};

use super::{Child, Plan, config_component};
use crate::config::{ConfigNotFound, RuntimeConfig};
use crate::discovery::{Discovered, Discovery, UnreadableLog, is_of_another_spec};
use crate::fault::{Component, Dependency, Fault, Health, State};
use crate::gpu::{self, Inventory};
use crate::inspect::SeenPod;
use crate::labels::Labels;
use crate::owner::Parent;

/// The model of a template.
#[derive(Debug, Clone, Copy)]
pub struct SeenModel<'a> {
    /// What it is.
    pub spec: &'a AimModelSpec,
    /// How it stands, of its present generation.
    pub state: Option<ModelState>,
    /// Its conditions.
    pub conditions: &'a [Condition],
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The template, as the owner of its Job.
    pub parent: &'a Parent,
    /// Its namespace; `None` for a template of the cluster.
    pub namespace: Option<&'a str>,
    /// Where the Job of discovery runs.
    pub job_namespace: &'a str,
    /// What is wanted.
    pub spec: &'a AimServiceTemplateSpec,
    /// What was said before.
    pub status: &'a AimServiceTemplateStatus,
    /// Its runtime configuration.
    pub config: &'a Result<RuntimeConfig, ConfigNotFound>,
    /// Its model.
    pub model: Option<SeenModel<'a>>,
    /// The GPUs of the cluster.
    pub inventory: &'a Inventory,
    /// The newest Job of discovery.
    pub job: Option<&'a Job>,
    /// The pods of that Job.
    pub pods: &'a [SeenPod<'a>],
    /// What the Job said, once it has succeeded and its log could be read from the API server.
    pub answer: Option<&'a Result<Discovered, UnreadableLog>>,
    /// How many discoveries run in the cluster.
    pub discoveries: usize,
    /// Whether it has its cache already.
    pub has_cache: bool,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Seen<'a> {
    fn is_inline(&self) -> bool {
        !self.spec.model_sources.is_empty()
    }

    /// What the image is to be asked; nothing without a model.
    fn discovery(&self) -> Option<Discovery<'a>> {
        Some(Discovery {
            template: self.spec,
            model: self.model?.spec,
            in_namespace: self.namespace.is_some(),
        })
    }

    /// Without a Job that was made for another spec: it has another name, and neither its answer nor its failure is one of this.
    fn of_this_spec(&self) -> Self {
        let wanted = self
            .discovery()
            .map(|discovery| discovery.job_name(&self.parent.name));
        let made = self.job.and_then(|job| job.metadata.name.as_ref());
        match (&wanted, made) {
            (Some(wanted), Some(made)) if wanted != made => Self {
                job: None,
                pods: &[],
                answer: None,
                ..*self
            },
            _ => *self,
        }
    }

    /// Whether the status knows nothing that was said of this spec.
    fn forgets(&self) -> bool {
        let of_another = |discovery: Discovery<'_>| is_of_another_spec(self.status, &discovery.spec_hash());
        was_inline(self.status) || self.discovery().is_some_and(of_another)
    }
}

/// Whether the Job of discovery, its pods and its log say something that is not known yet. Without a model nothing can be asked anew.
pub fn tracks_discovery(
    spec: &AimServiceTemplateSpec,
    status: &AimServiceTemplateStatus,
    model: Option<&AimModelSpec>,
) -> bool {
    let of_another = model.is_some_and(|model| {
        let discovery = Discovery {
            template: spec,
            model,
            in_namespace: true,
        };
        is_of_another_spec(status, &discovery.spec_hash())
    });
    spec.model_sources.is_empty() && (was_inline(status) || !is_known(status) || of_another)
}

fn is_known(status: &AimServiceTemplateStatus) -> bool {
    status.profile.is_some() || !status.model_sources.is_empty()
}

/// Whether what the status knows is what the spec said then, and nothing that an image was asked.
fn was_inline(status: &AimServiceTemplateStatus) -> bool {
    let mut discovered = status.conditions.iter().filter(|c| c.type_ == "Discovered");
    discovered.any(|condition| condition.reason == "InlineModelSources")
}

/// Plans a pass.
pub fn plan(seen: &Seen<'_>) -> Plan<AimServiceTemplateStatus> {
    let seen = &seen.of_this_spec();
    let status = status::status(seen);
    let known = seen.is_inline() || is_known(&status);
    let mut plan = Plan::new(status);
    plan.components
        .push(config_component(seen.config, "ConfigNotFound"));
    plan.components.push(model_component(seen));
    let gpu = gpu_component(seen);
    let has_gpu = gpu.as_ref().is_none_or(|gpu| gpu.state() == State::Ready);
    plan.components.extend(gpu);
    if !known {
        plan.components.extend(discovery::components(seen, &plan.status));
    }
    let has_image = seen.model.is_some_and(|model| !model.spec.image.is_empty());
    if has_image && has_gpu && !known {
        discovery::job(seen, &mut plan);
    }
    if known {
        plan.children.extend(cache(seen, &plan.status));
    }
    plan.said.push(discovery::condition(seen, &plan.status));
    plan
}

fn model_component(seen: &Seen<'_>) -> Component {
    let (name, kind) = match seen.namespace {
        Some(_) => ("Model", "AIMModel"),
        None => ("ClusterModel", "AIMClusterModel"),
    };
    let component = Component::new(name, Dependency::Upstream);
    let asked = &seen.spec.model_name;
    let Some(model) = seen.model else {
        let whose = if seen.parent.stamp.is_some() {
            " of the same person"
        } else {
            ""
        };
        return component.with(Fault::reference_not_found(format!(
            "there is no {kind} `{asked}`{whose}"
        )));
    };
    if model.spec.image.is_empty() {
        return component.says(
            State::Failed,
            "ImageNotSpecified",
            format!("the {kind} `{asked}` names no image"),
        );
    }
    match broken(&model) {
        Some((state, why)) => component.says(
            state,
            format!("{name}Failed"),
            format!("the {kind} `{asked}`: {why}"),
        ),
        None => component.says(State::Ready, format!("{name}Found"), ""),
    }
}

/// A model that is broken for another reason than its templates: those wait for their model, and it for them.
fn broken(model: &SeenModel<'_>) -> Option<(State, String)> {
    let state = match model.state {
        Some(ModelState::Failed) => State::Failed,
        Some(ModelState::Degraded) => State::Degraded,
        _ => return None,
    };
    let of_templates = ["Ready", "ServiceTemplatesReady", "ClusterServiceTemplatesReady"];
    let why = model.conditions.iter().find(|condition| {
        condition.type_.ends_with("Ready")
            && condition.status == "False"
            && !of_templates.contains(&condition.type_.as_str())
    })?;
    Some((state, why.message.clone()))
}

fn gpu_component(seen: &Seen<'_>) -> Option<Component> {
    let wanted = seen
        .spec
        .hardware
        .as_ref()
        .and_then(|hardware| hardware.gpu.as_ref());
    if !gpu::is_needed(wanted) {
        return None;
    }
    let component = Component::new("GPU", Dependency::Upstream);
    Some(match gpu::available(wanted?, seen.inventory) {
        Ok(()) => component.says(State::Ready, "GPUAvailable", ""),
        Err(missing) => component.says(State::NotAvailable, missing.reason(), missing.to_string()),
    })
}

/// The cache that a template of a namespace keeps for itself.
fn cache(seen: &Seen<'_>, status: &AimServiceTemplateStatus) -> Option<Child> {
    let caching = seen
        .spec
        .caching
        .as_ref()
        .filter(|caching| caching.enabled == Some(true))?;
    let namespace = seen.namespace?;
    if seen.has_cache || status.model_sources.is_empty() {
        return None;
    }
    let cache = AimTemplateCache {
        metadata: seen
            .parent
            .part(seen.parent.name.clone(), Some(namespace), &Labels::new(), true),
        spec: AimTemplateCacheSpec {
            template_name: seen.parent.name.clone(),
            template_scope: Scope::Namespace,
            env: caching.env.clone(),
            runtime_config_name: seen.spec.runtime_config_name.clone(),
            ..AimTemplateCacheSpec::default()
        },
        status: None,
    };
    Some(Child::once("TemplateCache", &cache))
}

/// How a component stands by what an inspection found.
fn stands(name: &'static str, found: Result<Health, Fault>) -> Component {
    Component::new(name, Dependency::Downstream).found(found)
}
