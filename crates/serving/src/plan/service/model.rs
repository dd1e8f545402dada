//! Which model a service serves.

use k8s_openapi::api::core::v1::EnvVar;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use reeve_serving_crds::{
    AimModel, AimModelSpec, AimModelStatus, AimServiceStatus, CustomModel, CustomModelDefaults, ModelSource,
    ModelState, ResolvedReference, Scope,
};

use super::Seen;
use crate::fault::{Category, Component, Dependency, Fault, State};
use crate::hash::Hash;
use crate::image::ImageReference;
use crate::labels::{self, Labels};
use crate::names;
use crate::plan::{Child, Plan, current, with_cause};
use crate::service::model_health;
use crate::stamp::may_use;

/// A model, of the namespace or of the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a> {
    pub(super) scope: Scope,
    pub(super) metadata: &'a ObjectMeta,
    pub(super) spec: &'a AimModelSpec,
    pub(super) status: Option<&'a AimModelStatus>,
}

impl<'a> Model<'a> {
    pub(super) fn name(&self) -> &'a str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    fn state(&self) -> Option<ModelState> {
        let status = self.status?;
        current(
            self.metadata.generation,
            status.observed_generation,
            status.status,
        )
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state() == Some(ModelState::Ready)
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

enum Choice<'a> {
    Found(Model<'a>),
    New(Box<AimModel>),
    Fault(Fault),
}

/// The model that the service serves, with the component `Model`; one that is missing and ours to make is planned.
pub(super) fn resolve<'a>(seen: &Seen<'a>, plan: &mut Plan<AimServiceStatus>) -> Option<Model<'a>> {
    let all = all(seen);
    let component = Component::new("Model", Dependency::Upstream);
    let recorded = recorded(&all, plan.status.resolved_model.as_ref());
    match recorded.map_or_else(|| choose(seen, &all), Choice::Found) {
        Choice::Found(model) => {
            let health = with_cause(model_health(model.state(), model.name()), model.conditions());
            plan.components
                .push(component.says(health.state, health.reason, health.message));
            if model.is_ready() {
                plan.status.resolved_model = Some(model.reference());
            }
            Some(model)
        }
        Choice::New(model) => {
            let component = Component::new("Model", Dependency::Downstream);
            plan.components
                .push(component.says(State::Pending, "CreatingModel", "the model is being made"));
            plan.children.push(Child::once("Model", &*model));
            None
        }
        Choice::Fault(fault) => {
            plan.components.push(component.with(fault));
            None
        }
    }
}

fn all<'a>(seen: &Seen<'a>) -> Vec<Model<'a>> {
    let namespaced = usable(seen).map(|model| Model {
        scope: Scope::Namespace,
        metadata: &model.metadata,
        spec: &model.spec,
        status: model.status.as_ref(),
    });
    let of_cluster = seen.cluster_models.iter().map(|model| Model {
        scope: Scope::Cluster,
        metadata: &model.metadata,
        spec: &model.spec,
        status: model.status.as_ref(),
    });
    namespaced.chain(of_cluster).collect()
}

/// The models of the namespace of which nobody else says what runs.
fn usable<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a AimModel> {
    let stamp = seen.parent.stamp.as_ref();
    seen.models
        .iter()
        .filter(move |model| may_use(stamp, &model.metadata))
}

/// The model that was resolved before, while it is ready.
fn recorded<'a>(all: &[Model<'a>], before: Option<&ResolvedReference>) -> Option<Model<'a>> {
    let before = before?;
    let mut same = all.iter().filter(|model| {
        model.metadata.name == before.name
            && model.metadata.uid == before.uid
            && Some(model.scope) == before.scope
    });
    same.next().filter(|model| model.is_ready()).copied()
}

fn choose<'a>(seen: &Seen<'a>, all: &[Model<'a>]) -> Choice<'a> {
    let wanted = &seen.service.spec.model;
    let filled = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
    if let Some(custom) = &wanted.custom {
        return by_source(seen, custom);
    }
    match (filled(&wanted.name), filled(&wanted.image)) {
        (Some(name), _) => by_name(seen, all, name),
        (None, Some(image)) => by_image(seen, all, image),
        (None, None) => Choice::Fault(Fault::new(
            Category::InvalidSpec,
            "InvalidSpec",
            "spec.model names no model and no image",
        )),
    }
}

fn by_name<'a>(seen: &Seen<'a>, all: &[Model<'a>], name: &str) -> Choice<'a> {
    if let Some(model) = all.iter().find(|model| model.name() == name) {
        return Choice::Found(*model);
    }
    let is_there = |model: &AimModel| model.metadata.name.as_deref() == Some(name);
    let message = if seen.models.iter().any(is_there) {
        format!(
            "the AIMModel `{name}` is somebody else's, who could change what runs as you: make one of your own with its image, or take \
             one of the cluster"
        )
    } else {
        format!("there is no AIMModel `{name}` in the namespace, and no AIMClusterModel of the name")
    };
    Choice::Fault(Fault::new(Category::MissingUpstream, "ModelNotFound", message))
}

fn by_image<'a>(seen: &Seen<'a>, all: &[Model<'a>], image: &str) -> Choice<'a> {
    let same: Vec<&Model<'a>> = all.iter().filter(|model| model.spec.image == image).collect();
    match same.as_slice() {
        [only] => Choice::Found(**only),
        [] => match ImageReference::parse(image) {
            Ok(reference) => Choice::New(Box::new(of_image(seen, image, &reference))),
            Err(invalid) => {
                let message = invalid.to_string();
                Choice::Fault(Fault::new(
                    Category::InvalidSpec,
                    "InvalidImageReference",
                    message,
                ))
            }
        },
        several => {
            let names: Vec<&str> = several.iter().map(|model| model.name()).collect();
            let message = format!(
                "several models have the image `{image}`: {}; make a service that names one",
                names.join(", ")
            );
            Choice::Fault(Fault::new(Category::Unknown, "UnknownError", message))
        }
    }
}

/// A model with the same image and the same sources serves every service that asks for them.
fn by_source<'a>(seen: &Seen<'a>, custom: &CustomModel) -> Choice<'a> {
    let same = usable(seen).find(|model| {
        let ours = &model.spec.model_sources;
        model.spec.image == custom.base_image
            && ours.len() == custom.model_sources.len()
            && ours.iter().zip(&custom.model_sources).all(|(a, b)| is_same(a, b))
    });
    match same {
        Some(model) => Choice::Found(Model {
            scope: Scope::Namespace,
            metadata: &model.metadata,
            spec: &model.spec,
            status: model.status.as_ref(),
        }),
        None => Choice::New(Box::new(of_sources(seen, custom))),
    }
}

fn is_same(a: &ModelSource, b: &ModelSource) -> bool {
    a.model_id == b.model_id && a.source_uri == b.source_uri && endpoint(&a.env) == endpoint(&b.env)
}

fn endpoint(env: &[EnvVar]) -> Option<&str> {
    let variable = env.iter().find(|variable| variable.name == "AWS_ENDPOINT_URL")?;
    variable.value.as_deref().filter(|value| !value.is_empty())
}

fn of_image(seen: &Seen<'_>, image: &str, reference: &ImageReference) -> AimModel {
    let own = labels::labels([(labels::ORIGIN, labels::AUTO_GENERATED)]);
    let name = reference.model_name(image);
    made(seen, name, &own, base(seen, image))
}

fn of_sources(seen: &Seen<'_>, custom: &CustomModel) -> AimModel {
    let mut hash = Hash::default().text(&custom.base_image);
    for source in &custom.model_sources {
        hash = hash.text(&source.model_id).text(&source.source_uri);
        if let Some(endpoint) = endpoint(&source.env) {
            hash = hash.text(endpoint);
        }
    }
    let id = custom
        .model_sources
        .first()
        .map_or("custom-model", |source| source.model_id.as_str());
    let own = labels::labels([
        (labels::ORIGIN, labels::AUTO_GENERATED),
        ("custom-model", "true"),
        ("service", &names::name_label(&seen.parent.name)),
    ]);
    let spec = AimModelSpec {
        model_sources: custom.model_sources.clone(),
        custom: Some(CustomModelDefaults {
            hardware: Some(custom.hardware.clone()),
            type_: None,
        }),
        env: seen.service.spec.env.clone(),
        ..base(seen, &custom.base_image)
    };
    made(seen, names::derived(&[id], Some(&hash.hex(8))), &own, spec)
}

fn base(seen: &Seen<'_>, image: &str) -> AimModelSpec {
    let service = &seen.service.spec;
    AimModelSpec {
        image: image.to_owned(),
        runtime_config_name: service
            .runtime_config_name
            .clone()
            .filter(|name| !name.is_empty()),
        image_pull_secrets: service.image_pull_secrets.clone(),
        service_account_name: service
            .service_account_name
            .clone()
            .filter(|name| !name.is_empty()),
        ..AimModelSpec::default()
    }
}

/// It belongs to no service: others share it, in a project those of the same person.
fn made(seen: &Seen<'_>, name: String, own: &Labels, spec: AimModelSpec) -> AimModel {
    let name = match &seen.parent.stamp {
        Some(stamp) => names::derived(&[&name], Some(&stamp.mark())),
        None => name,
    };
    AimModel {
        metadata: seen.parent.part(name, Some(seen.namespace), own, false),
        spec,
        status: None,
    }
}
