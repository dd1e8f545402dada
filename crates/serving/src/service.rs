//! How a service stands: its model, template, cache and InferenceService.

use k8s_openapi::api::core::v1::Event;
use reeve_serving_crds::{
    AimServiceSpec, AimServiceTemplateSpec, CacheMode, CachingMode, GpuRequirements, Metric, ModelState,
    Precision, RuntimeParameters, RuntimeStatus, ServiceState, TemplateCaching,
};
use serde_json::Value;

use crate::fault::{Category, Fault, Health, State};
use crate::hash::Hash;
use crate::inspect;
use crate::labels::{self, Labels};
use crate::names;

/// Whose the stored model is. Older words, and words that we do not know, are `Shared` but for `Never`.
pub fn cache_mode(service: &AimServiceSpec) -> CacheMode {
    match service.caching.as_ref().and_then(|caching| caching.mode) {
        Some(CachingMode::Dedicated | CachingMode::Never) => CacheMode::Dedicated,
        _ => CacheMode::Shared,
    }
}

/// The word of a service's status. A service never stores `NotAvailable`: its schema has no such word, and a status that is
/// refused says nothing at all.
pub const fn stored(state: State) -> ServiceState {
    match state {
        State::Failed => ServiceState::Failed,
        State::Degraded => ServiceState::Degraded,
        State::NotAvailable | State::Pending => ServiceState::Pending,
        State::Starting | State::Progressing => ServiceState::Starting,
        State::Ready | State::Running => ServiceState::Running,
    }
}

/// How the component `Model` stands.
pub fn model_health(state: Option<ModelState>, name: &str) -> Health {
    match state {
        Some(ModelState::Ready) => Health::new(State::Ready, "ModelResolved", ""),
        Some(ModelState::Failed | ModelState::Degraded) => Health::new(
            State::Failed,
            "ModelNotReady",
            format!("the model `{name}` failed"),
        ),
        _ => Health::new(
            State::Progressing,
            "ModelNotReady",
            format!("the model `{name}` is not ready yet"),
        ),
    }
}

/// How the component `Template` stands.
pub fn template_health(state: Option<ModelState>, name: &str) -> Health {
    match state {
        Some(ModelState::Ready) => Health::new(State::Ready, "Resolved", ""),
        Some(ModelState::Failed | ModelState::Degraded) => Health::new(
            State::Failed,
            "TemplateNotReady",
            format!("the template `{name}` failed"),
        ),
        Some(ModelState::NotAvailable) => {
            let message = format!("the cluster has not what the template `{name}` needs");
            Health::new(State::Pending, "TemplateNotReady", message)
        }
        _ => Health::new(
            State::Progressing,
            "TemplateNotReady",
            format!("the template `{name}` is not ready yet"),
        ),
    }
}

/// How the component `Cache` stands. `mounted`: an InferenceService mounts the stored files. A shared cache that is lost is
/// made again by the caller.
pub fn cache_health(cache: Option<Option<ModelState>>, mode: CacheMode, mounted: bool) -> Health {
    match (cache, mode) {
        (Some(Some(ModelState::Ready)), _) => Health::new(State::Ready, "CacheReady", ""),
        (Some(Some(ModelState::Progressing)), _) => {
            Health::new(State::Progressing, "CacheNotReady", "files are being stored")
        }
        (Some(Some(ModelState::Failed)), _) => {
            Health::new(State::Failed, "CacheFailed", "the files could not be stored")
        }
        (Some(_), _) => Health::new(State::Progressing, "CacheCreating", "the cache is being made"),
        (None, CacheMode::Shared) if mounted => Health::new(
            State::Degraded,
            "CacheLost",
            "the cache is gone while its files are in use; it is made again",
        ),
        (None, CacheMode::Dedicated) if mounted => Health::new(
            State::Degraded,
            "CacheCreating",
            "the cache is gone while its files are in use; it is made again",
        ),
        (None, _) => Health::new(State::Progressing, "CacheCreating", "the cache is being made"),
    }
}

/// How the component `InferenceService` stands. `events` are those of this very InferenceService.
///
/// # Errors
/// What KServe refused.
pub fn inference_health(inference: Option<&Value>, events: &[Event]) -> Result<Health, Fault> {
    let Some(inference) = inference else {
        return Ok(Health::new(
            State::Progressing,
            "CreatingRuntime",
            "the InferenceService is being made",
        ));
    };
    let conditions = inference.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|c| c.get("type").and_then(Value::as_str) == Some("Ready"));
    let text = |key: &str| {
        ready
            .and_then(|ready| ready.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let is_ready = text("status") == "True" && is_current(inference);
    if is_ready {
        return Ok(Health::new(State::Ready, "RuntimeReady", ""));
    }
    // What was said before the InferenceService last changed for the better or worse is over.
    let since = text("lastTransitionTime")
        .parse::<k8s_openapi::jiff::Timestamp>()
        .ok();
    let told = |reason: &str| {
        let of_reason = events
            .iter()
            .filter(|event| event.reason.as_deref() == Some(reason));
        of_reason
            .filter(|event| since.is_none() || inspect::time_of(event) >= since)
            .max_by_key(|e| inspect::time_of(e))
    };
    let message = |event: &Event| event.message.clone().unwrap_or_default();
    if let Some(event) = told("ServerlessModeRejected") {
        return Err(Fault::new(
            Category::InvalidSpec,
            "ServerlessModeRejected",
            message(event),
        ));
    }
    match told("InternalError").filter(|event| !is_lock_conflict(&message(event))) {
        Some(event) => Ok(Health::new(State::Failed, "InternalError", message(event))),
        None => Ok(Health::new(
            State::Progressing,
            "CreatingRuntime",
            text("message"),
        )),
    }
}

/// Whether the status speaks of the spec as it is.
fn is_current(object: &Value) -> bool {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    match (
        number("/metadata/generation"),
        number("/status/observedGeneration"),
    ) {
        (Some(generation), Some(observed)) => observed >= generation,
        _ => true,
    }
}

/// KServe reports conflicts of its own writes, on healthy objects too.
fn is_lock_conflict(message: &str) -> bool {
    message.contains("the object has been modified")
}

/// How many replicas there are, for the status: by an autoscaler's (current, desired), else fixed.
pub fn runtime_status(
    service: &AimServiceSpec,
    limits: (i32, i32),
    scaled: Option<(i32, i32)>,
) -> RuntimeStatus {
    let Some((current, desired)) = scaled else {
        let fixed = service.min_replicas.or(service.replicas).unwrap_or(1);
        return RuntimeStatus {
            min_replicas: Some(fixed),
            max_replicas: Some(fixed),
            replicas: Some(fixed.to_string()),
            ..RuntimeStatus::default()
        };
    };
    let (least, most) = limits;
    let display = if least == most {
        least.to_string()
    } else {
        format!("{current}/{desired} ({least}-{most})")
    };
    RuntimeStatus {
        current_replicas: Some(current),
        desired_replicas: Some(desired),
        min_replicas: Some(least),
        max_replicas: Some(most),
        replicas: Some(display),
    }
}

/// The name of a template with these overrides over it. Without any it is the template's own.
pub fn derived_template_name(base: &str, overrides: Option<&RuntimeParameters>) -> String {
    let Some(overrides) = overrides else {
        return base.to_owned();
    };
    let gpu = overrides
        .hardware
        .as_ref()
        .and_then(|hardware| hardware.gpu.as_ref());
    let model = gpu
        .and_then(|gpu| gpu.model.as_deref())
        .filter(|model| !model.is_empty());
    let count = gpu.and_then(|gpu| gpu.requests).filter(|count| *count > 0);
    let mut parts = vec![base.to_owned(), "ovr".to_owned()];
    let mut hash = Hash::default();
    if let Some(model) = model {
        parts.push(model.to_lowercase());
        hash = hash.text("gpu").text(model);
    }
    if let Some(count) = count {
        parts.push(format!("{count}gpu"));
        hash = hash.text("count").number(i64::from(count));
    }
    let words = [
        ("precision", overrides.precision.map(Precision::as_str)),
        ("metric", overrides.metric.map(Metric::as_str)),
    ];
    for (key, word) in words {
        if let Some(word) = word {
            parts.push(word.to_owned());
            hash = hash.text(key).text(word);
        }
    }
    if parts.len() == 2 {
        return base.to_owned();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    names::derived(&parts, Some(&hash.hex(4)))
}

/// Which template a service with an explicit name uses now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explicit {
    /// The one that is named: no overrides, a template of the cluster, or one that is derived itself.
    Base,
    /// The derived one, which is ready.
    Derived,
    /// The derived one, which is still to be made or not ready yet.
    AwaitDerived,
}

/// Which template to use, given the named one and the derived one: the base is looked up by its plain name, and the derived
/// one serves once it is ready.
pub fn explicit(
    overridden: bool,
    base_is_namespaced: bool,
    base: &Labels,
    derived: Option<Option<ModelState>>,
) -> Explicit {
    let is_derived = base
        .get(labels::ORIGIN)
        .is_some_and(|origin| origin == labels::DERIVED);
    match derived {
        _ if !overridden || !base_is_namespaced || is_derived => Explicit::Base,
        Some(Some(ModelState::Ready)) => Explicit::Derived,
        _ => Explicit::AwaitDerived,
    }
}

/// A template with a service's overrides over it. The service's resources are not put into it: they are put over the template's where
/// the InferenceService is made, and other services may share this template.
pub fn derived_template(base: &AimServiceTemplateSpec, service: &AimServiceSpec) -> AimServiceTemplateSpec {
    let mut template = base.clone();
    if let Some(overrides) = &service.overrides {
        template.metric = overrides.metric.or(base.metric);
        template.precision = overrides.precision.or(base.precision);
        template.hardware = put_over(base.hardware.as_ref(), overrides.hardware.as_ref());
    }
    template.runtime_config_name =
        Some(crate::config::name(service.runtime_config_name.as_deref()).to_owned());
    if !service.image_pull_secrets.is_empty() {
        template
            .image_pull_secrets
            .clone_from(&service.image_pull_secrets);
    }
    if cache_mode(service) == CacheMode::Shared {
        let caching = template.caching.get_or_insert_with(TemplateCaching::default);
        caching.enabled = Some(true);
    }
    template
}

fn put_over(
    base: Option<&reeve_serving_crds::HardwareRequirements>,
    over: Option<&reeve_serving_crds::HardwareRequirements>,
) -> Option<reeve_serving_crds::HardwareRequirements> {
    let mut merged = crate::model::merge_hardware(base, over)?;
    let asked = over.and_then(|over| over.gpu.as_ref());
    if let (
        Some(gpu),
        Some(GpuRequirements {
            model: Some(model), ..
        }),
    ) = (merged.gpu.as_mut(), asked)
        && !model.is_empty()
    {
        // A model has its memory; the schema refuses both.
        gpu.min_vram = None;
    }
    Some(merged)
}

/// How the component `HPA` stands. `ready`: the InferenceService is. The autoscaler is looked at as JSON.
pub fn autoscaler_health(autoscaler: Option<&Value>, ready: bool) -> Health {
    let Some(autoscaler) = autoscaler else {
        return Health::new(
            State::Progressing,
            "HPANotFound",
            "the autoscaler is not there yet",
        );
    };
    let conditions = autoscaler.pointer("/status/conditions").and_then(Value::as_array);
    let find = |type_: &str| {
        let mut all = conditions.into_iter().flatten();
        all.find(|condition| condition.get("type").and_then(Value::as_str) == Some(type_))
    };
    let text = |condition: Option<&Value>, key: &str| {
        condition
            .and_then(|c| c.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let active = find("ScalingActive");
    if text(active, "status") != "True" {
        let message = text(active, "message");
        return if ready {
            Health::new(State::Failed, "MetricsFailed", message)
        } else {
            Health::new(State::Progressing, "WaitingForMetrics", message)
        };
    }
    match find("AbleToScale") {
        Some(able) if text(Some(able), "status") != "True" => Health::new(
            State::Progressing,
            "ScaleTargetNotReady",
            text(Some(able), "message"),
        ),
        _ => Health::new(State::Ready, "HPAOperational", ""),
    }
}
