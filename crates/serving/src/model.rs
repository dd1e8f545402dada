//! The templates of a model.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_serving_crds::{
    AimModelSpec, AimServiceTemplateSpec, CpuRequirements, CustomTemplate, GpuRequirements,
    HardwareRequirements, ImageMetadata, Metric, ModelState, Precision, ProfileType, RecommendedDeployment,
};

use crate::env;
use crate::fault::{Health, State};
use crate::hash::Hash;
use crate::labels::{self, Labels};
use crate::names;

/// A template that a model is to have.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTemplate {
    /// Its name.
    pub name: String,
    /// Its own labels.
    pub labels: Labels,
    /// What it is.
    pub spec: AimServiceTemplateSpec,
}

/// Whether templates are to come of a model. `None`: not known before its metadata is.
pub fn expects_templates(model: &AimModelSpec, known: Option<&ImageMetadata>) -> Option<bool> {
    let discovery = model.discovery.as_ref();
    if discovery.and_then(|d| d.create_service_templates) == Some(false) {
        return Some(false);
    }
    if !model.model_sources.is_empty() {
        return Some(true);
    }
    match model.image_metadata.as_ref().or(known) {
        Some(metadata) => Some(!recommended(metadata).is_empty() || !model.custom_templates.is_empty()),
        // Nothing will ever be known of an image that is not to be asked: what there is to make is the custom templates.
        None if discovery.and_then(|d| d.extract_metadata) == Some(false) => {
            Some(!model.custom_templates.is_empty())
        }
        None => None,
    }
}

fn recommended(metadata: &ImageMetadata) -> &[RecommendedDeployment] {
    metadata
        .model
        .as_ref()
        .map(|model| model.recommended_deployments.as_slice())
        .unwrap_or_default()
}

/// The templates that a model is to have. Those of the cluster get no environment variables.
pub fn templates(
    name: &str,
    model: &AimModelSpec,
    known: Option<&ImageMetadata>,
    in_namespace: bool,
) -> Vec<NewTemplate> {
    if expects_templates(model, known) != Some(true) {
        return Vec::new();
    }
    let custom = model.custom_templates.iter().enumerate();
    let custom =
        custom.map(|(index, template)| custom_template(name, model, index, Some(template), in_namespace));
    if !model.model_sources.is_empty() {
        let custom: Vec<NewTemplate> = custom.collect();
        return if custom.is_empty() {
            vec![custom_template(name, model, 0, None, in_namespace)]
        } else {
            custom
        };
    }
    let metadata = model.image_metadata.as_ref().or(known);
    let found = metadata.map(recommended).unwrap_or_default().iter();
    let all = found
        .map(|deployment| discovered_template(name, model, deployment))
        .chain(custom);
    // A name says nothing of the profile: of deployments that differ in it alone the first counts. Applied in turn they would be
    // one template that never rests.
    let mut taken = BTreeSet::new();
    all.filter(|template| taken.insert(template.name.clone()))
        .collect()
}

fn base(name: &str, model: &AimModelSpec) -> AimServiceTemplateSpec {
    AimServiceTemplateSpec {
        model_name: name.to_owned(),
        runtime_config_name: model.runtime_config_name.clone().filter(|name| !name.is_empty()),
        image_pull_secrets: model.image_pull_secrets.clone(),
        service_account_name: model.service_account_name.clone().filter(|name| !name.is_empty()),
        ..AimServiceTemplateSpec::default()
    }
}

fn template_labels(model: &str, alias: Option<&str>) -> Labels {
    let mut all = labels::labels([
        ("origin", labels::AUTO_GENERATED),
        ("model", &names::name_label(model)),
    ]);
    if let Some(alias) = alias {
        all.insert(
            format!("{}template.alias", labels::PREFIX),
            names::name_label(alias),
        );
    }
    all
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn discovered_template(name: &str, model: &AimModelSpec, deployment: &RecommendedDeployment) -> NewTemplate {
    let gpu = filled(deployment.gpu_model.as_ref());
    let count = deployment.gpu_count.filter(|count| *count > 0);
    let metric = filled(deployment.metric.as_ref());
    let precision = filled(deployment.precision.as_ref());
    let hardware = gpu.zip(count).map(|(model, requests)| HardwareRequirements {
        gpu: Some(GpuRequirements {
            requests: Some(requests),
            model: Some(model.to_owned()),
            ..GpuRequirements::default()
        }),
        cpu: None,
    });
    NewTemplate {
        name: discovered_name(name, &model.image, gpu, count, metric, precision),
        labels: template_labels(name, None),
        spec: AimServiceTemplateSpec {
            metric: metric.and_then(word::<Metric>),
            precision: precision.and_then(word::<Precision>),
            profile_id: filled(deployment.profile_id.as_ref()).map(str::to_owned),
            hardware,
            ..base(name, model)
        },
    }
}

/// A word of the image's maker as one of ours; other words are none.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_lowercase())).ok()
}

fn discovered_name(
    model: &str,
    image: &str,
    gpu: Option<&str>,
    count: Option<i32>,
    metric: Option<&str>,
    precision: Option<&str>,
) -> String {
    let hardware = match (gpu, count) {
        (Some(gpu), Some(count)) => Some(format!("{count}x-{gpu}")),
        (Some(gpu), None) => Some(gpu.to_owned()),
        (None, count) => count.map(|count| format!("x{count}")),
    };
    let short = metric.map(|metric| match metric {
        "latency" => "lat",
        "throughput" => "thr",
        other => other,
    });
    let suffix: Vec<&str> = hardware
        .as_deref()
        .into_iter()
        .chain(short)
        .chain(precision)
        .collect();
    let count = count.map(|count| format!("x{count}"));
    let hashed = [Some(model), Some(image), gpu, count.as_deref(), metric, precision];
    let hashed: Vec<&str> = hashed.into_iter().flatten().collect();
    let hash = Hash::default().text(&hashed.join("-")).hex(4);
    names::derived(&[image, &suffix.join("-")], Some(&hash))
}

fn custom_template(
    name: &str,
    model: &AimModelSpec,
    index: usize,
    template: Option<&CustomTemplate>,
    in_namespace: bool,
) -> NewTemplate {
    let defaults = model.custom.as_ref();
    let hardware = merge_hardware(
        defaults.and_then(|d| d.hardware.as_ref()),
        template.and_then(|t| t.hardware.as_ref()),
    );
    let type_ = template
        .and_then(|t| t.type_)
        .or(defaults.and_then(|d| d.type_))
        .unwrap_or(ProfileType::Unoptimized);
    let profile = template.and_then(|t| t.profile.as_ref());
    let own_env = template.map(|t| t.env.as_slice()).unwrap_or_default();
    NewTemplate {
        name: custom_name(name, index, template),
        labels: template_labels(name, template.and_then(|t| filled(t.name.as_ref()))),
        spec: AimServiceTemplateSpec {
            metric: profile.and_then(|p| p.metric),
            precision: profile.and_then(|p| p.precision),
            model_sources: model.model_sources.clone(),
            type_: Some(type_),
            env: if in_namespace {
                env::merge(&model.env, own_env)
            } else {
                Vec::new()
            },
            resources: hardware.as_ref().and_then(|h| h.cpu.as_ref()).map(cpu_resources),
            hardware,
            ..base(name, model)
        },
    }
}

fn cpu_resources(cpu: &CpuRequirements) -> ResourceRequirements {
    let of = |quantity: &Quantity| [("cpu".to_owned(), quantity.clone())].into();
    ResourceRequirements {
        requests: Some(of(&cpu.requests)),
        limits: cpu.limits.as_ref().map(of),
        claims: None,
    }
}

fn custom_name(model: &str, index: usize, template: Option<&CustomTemplate>) -> String {
    let alias = template.and_then(|t| filled(t.name.as_ref()));
    let profile = template.and_then(|t| t.profile.as_ref());
    let gpu = template
        .and_then(|t| t.hardware.as_ref())
        .and_then(|h| h.gpu.as_ref());
    let precision = profile.and_then(|p| p.precision).map(Precision::as_str);
    let gpu_model = gpu.and_then(|gpu| filled(gpu.model.as_ref()));
    let parts: Vec<&str> = [Some(model), Some("custom"), alias, precision, gpu_model]
        .into_iter()
        .flatten()
        .collect();
    let mut hash = Hash::default()
        .text(model)
        .number(i64::try_from(index).unwrap_or(i64::MAX));
    if template.is_some() {
        hash = hash.text(alias.unwrap_or_default());
    }
    if let Some(profile) = profile {
        hash = hash
            .text(precision.unwrap_or_default())
            .text(profile.metric.map_or("", Metric::as_str));
    }
    if let Some(gpu) = gpu {
        hash = hash
            .number(i64::from(gpu.requests.unwrap_or(0)))
            .text(gpu_model.unwrap_or_default());
    }
    names::derived(&parts, Some(&hash.hex(8)))
}

/// A custom template's hardware over the model's. `minVram` is never overridden; beside a GPU's model it goes, since a model has
/// its memory and the schema refuses both.
pub fn merge_hardware(
    base: Option<&HardwareRequirements>,
    over: Option<&HardwareRequirements>,
) -> Option<HardwareRequirements> {
    let (base, over) = match (base, over) {
        (Some(base), Some(over)) => (base, over),
        (base, over) => return over.or(base).cloned(),
    };
    let gpu = match (&base.gpu, &over.gpu) {
        (Some(base), Some(over)) => {
            let model = over.model.clone().filter(|m| !m.is_empty());
            let model = model.or_else(|| base.model.clone());
            let named = filled(model.as_ref()).is_some();
            Some(GpuRequirements {
                requests: over.requests.filter(|n| *n != 0).or(base.requests),
                min_vram: base.min_vram.clone().filter(|_| !named),
                model,
                resource_name: over
                    .resource_name
                    .clone()
                    .filter(|n| !n.is_empty())
                    .or_else(|| base.resource_name.clone()),
            })
        }
        (base, over) => over.clone().or_else(|| base.clone()),
    };
    let cpu = match (&base.cpu, &over.cpu) {
        (Some(base), Some(over)) => Some(CpuRequirements {
            requests: if over.requests.0.is_empty() {
                base.requests.clone()
            } else {
                over.requests.clone()
            },
            limits: over.limits.clone().or_else(|| base.limits.clone()),
        }),
        (base, over) => over.clone().or_else(|| base.clone()),
    };
    Some(HardwareRequirements { gpu, cpu })
}

/// How the templates of a model stand together.
pub fn templates_health(states: &[Option<ModelState>], expected: Option<bool>) -> Health {
    if states.is_empty() {
        return match expected {
            None => Health::new(
                State::Progressing,
                "AwaitingMetadata",
                "the image's metadata is not known yet",
            ),
            Some(true) => Health::new(
                State::Progressing,
                "CreatingTemplates",
                "templates are being made",
            ),
            Some(false) => Health::new(State::Ready, "NoTemplatesExpected", ""),
        };
    }
    let all = |wanted: &[ModelState]| states.iter().all(|s| s.is_some_and(|s| wanted.contains(&s)));
    let any = |wanted: &[ModelState]| states.iter().any(|s| s.is_some_and(|s| wanted.contains(&s)));
    let broken = [ModelState::Degraded, ModelState::Failed];
    if all(&[ModelState::Ready]) {
        Health::new(State::Ready, "AllTemplatesReady", "")
    } else if all(&broken) {
        Health::new(State::Failed, "AllTemplatesFailed", "every template failed")
    } else if all(&[ModelState::NotAvailable]) {
        Health::new(
            State::NotAvailable,
            "NoTemplatesAvailable",
            "the cluster has not what the templates need",
        )
    } else if any(&broken) {
        Health::new(State::Degraded, "SomeTemplatesDegraded", "some templates failed")
    } else if all(&[ModelState::Ready, ModelState::NotAvailable]) {
        Health::new(State::Ready, "SomeTemplatesReady", "")
    } else {
        Health::new(
            State::Progressing,
            "TemplatesProgressing",
            "templates are on their way",
        )
    }
}
