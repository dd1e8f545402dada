//! Which template a service uses.

mod derived;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use reeve_serving_crds::{
    AimServiceStatus, AimServiceTemplate, AimServiceTemplateSpec, AimServiceTemplateStatus,
    HardwareRequirements, ModelState, ResolvedReference, RuntimeParameters, Scope,
};

use super::Seen;
use super::model::Model;
use crate::discovery::{Discovery, is_of_another_spec};
use crate::fault::{Category, Component, Dependency, Fault, Health};
use crate::labels::{self, Labels};
use crate::names;
use crate::plan::model::leftovers;
use crate::plan::{Plan, current, with_cause};
use crate::select::{Candidate, select};
use crate::service::{derived_template_name, template_health};
use crate::stamp::may_use;

/// A template, of the namespace or of the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Template<'a> {
    pub(super) scope: Scope,
    metadata: &'a ObjectMeta,
    pub(super) spec: &'a AimServiceTemplateSpec,
    pub(super) status: Option<&'a AimServiceTemplateStatus>,
    /// Whether its status speaks of another image or profile than it has now.
    outdated: bool,
}

impl<'a> Template<'a> {
    pub(super) fn name(&self) -> &'a str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    fn state(&self) -> Option<ModelState> {
        let status = self.status.filter(|_| !self.outdated)?;
        current(
            self.metadata.generation,
            status.observed_generation,
            status.status,
        )
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state() == Some(ModelState::Ready)
    }

    fn labels(&self) -> Labels {
        self.metadata.labels.clone().unwrap_or_default()
    }

    fn is_derived(&self) -> bool {
        self.labels()
            .get(labels::ORIGIN)
            .is_some_and(|origin| origin == labels::DERIVED)
    }

    fn conditions(&self) -> &'a [Condition] {
        self.status
            .map(|status| status.conditions.as_slice())
            .unwrap_or_default()
    }

    fn reference(&self) -> ResolvedReference {
        ResolvedReference {
            name: self.metadata.name.clone(),
            namespace: self.metadata.namespace.clone(),
            scope: Some(self.scope),
            uid: self.metadata.uid.clone(),
            ..ResolvedReference::default()
        }
    }
}

/// The template in use, once it is ready, with the component `Template`.
pub(super) fn resolve<'a>(
    seen: &Seen<'a>,
    model: Option<&Model<'a>>,
    plan: &mut Plan<AimServiceStatus>,
) -> Option<Template<'a>> {
    let all = all(seen, model);
    let recorded = recorded(&all, plan.status.resolved_template.as_ref());
    let recorded = recorded.filter(|template| fits(seen, template));
    let found = match recorded {
        Some(template) => {
            derived::keep(seen, &all, &template, plan);
            Ok(template)
        }
        None => base(seen, &all, model).and_then(|base| derived::of(seen, &all, base, plan)),
    };
    let component = Component::new("Template", Dependency::Upstream);
    match found {
        Ok(template) => {
            let health = template_health(template.state(), template.name());
            let health = with_cause(health, template.conditions());
            plan.components
                .push(component.says(health.state, health.reason, health.message));
            let ready = template.is_ready();
            if ready {
                plan.status.resolved_template = Some(template.reference());
            }
            Some(template).filter(|_| ready)
        }
        Err(Missing::Waits(health)) => {
            plan.components
                .push(component.says(health.state, health.reason, health.message));
            None
        }
        Err(Missing::Fault(fault)) => {
            plan.components.push(component.with(fault));
            None
        }
        Err(Missing::Unasked) => None,
    }
}

enum Missing {
    Waits(Health),
    Fault(Fault),
    /// There is no model yet whose templates could be looked at.
    Unasked,
}

fn all<'a>(seen: &Seen<'a>, model: Option<&Model<'a>>) -> Vec<Template<'a>> {
    let outdated = |scope, spec: &AimServiceTemplateSpec, status: Option<&AimServiceTemplateStatus>| {
        let model = model.filter(|model| model.scope == scope && model.name() == spec.model_name);
        let (Some(model), Some(status), []) = (model, status, spec.model_sources.as_slice()) else {
            return false;
        };
        let asked = Discovery {
            template: spec,
            model: model.spec,
            in_namespace: scope == Scope::Namespace,
        };
        is_of_another_spec(status, &asked.spec_hash())
    };
    let usable = |template: &&AimServiceTemplate| may_use(seen.parent.stamp.as_ref(), &template.metadata);
    let namespaced = seen.templates.iter().filter(usable).map(|template| Template {
        scope: Scope::Namespace,
        metadata: &template.metadata,
        spec: &template.spec,
        status: template.status.as_ref(),
        outdated: outdated(Scope::Namespace, &template.spec, template.status.as_ref()),
    });
    let of_cluster = seen.cluster_templates.iter().map(|template| Template {
        scope: Scope::Cluster,
        metadata: &template.metadata,
        spec: &template.spec,
        status: template.status.as_ref(),
        outdated: outdated(Scope::Cluster, &template.spec, template.status.as_ref()),
    });
    namespaced.chain(of_cluster).collect()
}

/// The template that was resolved before, while it is ready.
fn recorded<'a>(all: &[Template<'a>], before: Option<&ResolvedReference>) -> Option<Template<'a>> {
    let before = before?;
    let same = all.iter().find(|template| {
        template.metadata.name == before.name
            && template.metadata.uid == before.uid
            && Some(template.scope) == before.scope
    });
    same.filter(|template| template.is_ready()).copied()
}

/// Whether a template is still what the service asks for: a name and overrides that were absent can be added, and overrides taken
/// away.
fn fits(seen: &Seen<'_>, template: &Template<'_>) -> bool {
    let service = &seen.service.spec;
    let overrides = service.overrides.as_ref();
    let choice = service
        .template
        .as_ref()
        .and_then(|choice| choice.name.as_deref());
    if let Some(name) = choice.filter(|name| !name.is_empty()) {
        let of_name = template.name() == name || template.name() == derived_name(seen, name);
        return of_name && follows(template.spec, overrides);
    }
    let without_any = derived_template_name("", overrides).is_empty();
    match template.is_derived() {
        true => !without_any && follows(template.spec, overrides),
        false => without_any || template.scope == Scope::Cluster || follows(template.spec, overrides),
    }
}

/// The name of the template with the service's overrides over this one. A person's is that person's own.
fn derived_name(seen: &Seen<'_>, base: &str) -> String {
    let name = derived_template_name(base, seen.service.spec.overrides.as_ref());
    match &seen.parent.stamp {
        Some(stamp) if name != base => names::derived(&[&name], Some(&stamp.mark())),
        _ => name,
    }
}

fn follows(template: &AimServiceTemplateSpec, overrides: Option<&RuntimeParameters>) -> bool {
    let Some(overrides) = overrides else { return true };
    let gpu =
        |hardware: Option<&HardwareRequirements>| hardware.and_then(|h| h.gpu.clone()).unwrap_or_default();
    let (asked, has) = (gpu(overrides.hardware.as_ref()), gpu(template.hardware.as_ref()));
    let model = asked.model.filter(|model| !model.is_empty());
    let count = asked.requests.filter(|count| *count > 0);
    overrides
        .metric
        .is_none_or(|metric| template.metric == Some(metric))
        && overrides
            .precision
            .is_none_or(|precision| template.precision == Some(precision))
        && model.is_none_or(|model| has.model.as_ref() == Some(&model))
        && count.is_none_or(|count| has.requests == Some(count))
}

/// The template that is named, or the best of the model's.
fn base<'a>(
    seen: &Seen<'a>,
    all: &[Template<'a>],
    model: Option<&Model<'a>>,
) -> Result<Template<'a>, Missing> {
    let choice = seen.service.spec.template.as_ref();
    let name = choice
        .and_then(|choice| choice.name.as_deref())
        .filter(|name| !name.is_empty());
    if let Some(name) = name {
        let named = all.iter().find(|template| template.name() == name);
        let is_there = |template: &AimServiceTemplate| template.metadata.name.as_deref() == Some(name);
        return named.copied().ok_or_else(|| {
            let message = if seen.templates.iter().any(is_there) {
                format!(
                    "the AIMServiceTemplate `{name}` is somebody else's, who could change what runs as you: make one of your own, or \
                     take one of the cluster"
                )
            } else {
                format!("there is no AIMServiceTemplate `{name}` in the namespace, and no AIMClusterServiceTemplate of the name")
            };
            Missing::Fault(Fault::new(Category::MissingUpstream, "TemplateNotFound", message))
        });
    }
    let model = model.ok_or(Missing::Unasked)?;
    // A derived template is its base with a service's overrides: the base stands for it. One that the model made for an image or a
    // deployment that it had before is no choice beside those that it makes now.
    let is_leftover = leftovers(
        model.name(),
        model.metadata,
        model.spec,
        model.status,
        model.scope,
    );
    let of_model: Vec<Template<'a>> = all
        .iter()
        .filter(|template| template.spec.model_name == model.name() && !template.is_derived())
        .filter(|template| template.scope != model.scope || !is_leftover(template.metadata))
        .copied()
        .collect();
    let candidates: Vec<Candidate<'a>> = of_model.iter().map(candidate).collect();
    let unoptimized = choice.and_then(|choice| choice.allow_unoptimized) == Some(true);
    let overrides = seen.service.spec.overrides.as_ref();
    let best = select(&candidates, overrides, unoptimized, seen.inventory)
        .map_err(|none| Missing::Waits(none.health()))?;
    let mut same = of_model
        .into_iter()
        .filter(|t| t.name() == best.name && t.scope == best.scope);
    same.next().ok_or(Missing::Unasked)
}

fn candidate<'a>(template: &Template<'a>) -> Candidate<'a> {
    Candidate {
        name: template.name(),
        scope: template.scope,
        spec: template.spec,
        // A status of another generation says nothing of this one.
        status: template.status.filter(|_| template.state().is_some()),
    }
}
