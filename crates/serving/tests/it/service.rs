use k8s_openapi::api::core::v1::Event;
use reeve_serving::fault::State;
use reeve_serving::service::{
    Explicit, autoscaler_health, cache_health, cache_mode, derived_template, explicit, inference_health,
    model_health, runtime_status, template_health,
};
use reeve_serving_crds::{CacheMode, ModelState};
use serde_json::{Value, json};

use crate::things::of;

#[test]
fn older_words_of_caching_mean_what_they_meant() {
    for (mode, expected) in [
        (json!({}), CacheMode::Shared),
        (json!({"caching": {}}), CacheMode::Shared),
        (json!({"caching": {"mode": "Auto"}}), CacheMode::Shared),
        (json!({"caching": {"mode": "Always"}}), CacheMode::Shared),
        (json!({"caching": {"mode": "Never"}}), CacheMode::Dedicated),
        (json!({"caching": {"mode": "Dedicated"}}), CacheMode::Dedicated),
    ] {
        let mut spec = json!({"model": {"name": "m"}});
        spec.as_object_mut()
            .unwrap()
            .extend(mode.as_object().unwrap().clone());
        assert_eq!(cache_mode(&of(spec)), expected, "{mode}");
    }
}

#[test]
fn models_templates_and_caches_stand_as_tabulated() {
    let model = |state| {
        let h = model_health(state, "m");
        (h.state, h.reason)
    };
    assert_eq!(
        model(Some(ModelState::Ready)),
        (State::Ready, "ModelResolved".to_owned())
    );
    assert_eq!(
        model(Some(ModelState::Degraded)),
        (State::Failed, "ModelNotReady".to_owned())
    );
    assert_eq!(
        model(Some(ModelState::NotAvailable)),
        (State::Progressing, "ModelNotReady".to_owned())
    );
    assert_eq!(model(None), (State::Progressing, "ModelNotReady".to_owned()));
    let template = |state| {
        let h = template_health(state, "t");
        (h.state, h.reason)
    };
    assert_eq!(
        template(Some(ModelState::Ready)),
        (State::Ready, "Resolved".to_owned())
    );
    assert_eq!(
        template(Some(ModelState::Failed)),
        (State::Failed, "TemplateNotReady".to_owned())
    );
    assert_eq!(
        template(None),
        (State::Progressing, "TemplateNotReady".to_owned())
    );
    let cache = |state, mode, mounted| {
        let h = cache_health(state, mode, mounted);
        format!("{:?} {}", h.state, h.reason)
    };
    assert_eq!(
        cache(Some(Some(ModelState::Ready)), CacheMode::Shared, true),
        "Ready CacheReady"
    );
    assert_eq!(
        cache(Some(Some(ModelState::Failed)), CacheMode::Shared, true),
        "Failed CacheFailed"
    );
    assert_eq!(
        cache(Some(None), CacheMode::Shared, false),
        "Progressing CacheCreating"
    );
    assert_eq!(cache(None, CacheMode::Dedicated, true), "Degraded CacheCreating");
    assert_eq!(cache(None, CacheMode::Shared, false), "Progressing CacheCreating");
}

pub(crate) fn inference(status: &str, events: Value) -> String {
    let object = json!({"status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": "2026-01-01T00:00:10Z"}]}});
    let events: Vec<Event> = of(events);
    match inference_health(Some(&object), &events) {
        Ok(health) => format!("{:?} {}", health.state, health.reason),
        Err(fault) => format!("{:?} {}", fault.category, fault.reason),
    }
}

pub(crate) fn event(reason: &str, message: &str, second: u32) -> Value {
    json!({"metadata": {}, "involvedObject": {}, "type": "Warning", "reason": reason, "message": message,
           "lastTimestamp": format!("2026-01-01T00:00:{second:02}Z")})
}

#[test]
fn what_kserve_says_is_told() {
    assert_eq!(inference("True", json!([])), "Ready RuntimeReady");
    assert_eq!(inference("False", json!([])), "Progressing CreatingRuntime");
    assert_eq!(
        inference("False", json!([event("ServerlessModeRejected", "m", 11)])),
        "InvalidSpec ServerlessModeRejected"
    );
    assert_eq!(
        inference("False", json!([event("InternalError", "boom", 11)])),
        "Failed InternalError"
    );
    let conflict = "Operation cannot be fulfilled on deployments: the object has been modified; please apply your changes to the latest version";
    assert_eq!(
        inference("False", json!([event("InternalError", conflict, 11)])),
        "Progressing CreatingRuntime"
    );
    let stale = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}});
    assert_eq!(
        inference_health(Some(&stale), &[]).unwrap().reason,
        "CreatingRuntime",
        "ready for an older spec is not ready"
    );
}

#[test]
fn replicas_are_told_for_people() {
    let text = |spec: Value, scaled| runtime_status(&of(spec), (1, 5), scaled).replicas.unwrap();
    assert_eq!(text(json!({"model": {}, "replicas": 2}), None), "2");
    assert_eq!(text(json!({"model": {}}), None), "1");
    assert_eq!(
        text(json!({"model": {}, "minReplicas": 3, "replicas": 2}), None),
        "3"
    );
    assert_eq!(text(json!({"model": {}}), Some((2, 3))), "2/3 (1-5)");
}

#[test]
fn a_derived_template_has_the_overrides_over_its_base() {
    let base = of(
        json!({"modelName": "m", "metric": "latency", "precision": "fp16", "hardware": {"gpu": {"minVram": "64G"}},
        "imagePullSecrets": [{"name": "base"}]}),
    );
    let service = of(
        json!({"model": {"name": "m"}, "overrides": {"precision": "fp8", "hardware": {"gpu": {"model": "MI300X", "requests": 2}}},
        "resources": {}}),
    );
    let derived = serde_json::to_value(derived_template(&base, &service)).unwrap();
    assert_eq!(
        derived,
        json!({"modelName": "m", "metric": "latency", "precision": "fp8", "runtimeConfigName": "default",
        "hardware": {"gpu": {"model": "MI300X", "requests": 2}}, "imagePullSecrets": [{"name": "base"}], "caching": {"enabled": true}})
    );
    let none = of(json!({}));
    assert_eq!(explicit(false, true, &none, None), Explicit::Base);
    assert_eq!(
        explicit(true, false, &none, None),
        Explicit::Base,
        "templates of the cluster are used as they are"
    );
    let derived = of(json!({"aim.eai.amd.com/origin": "derived"}));
    assert_eq!(explicit(true, true, &derived, None), Explicit::Base);
}

#[test]
fn autoscalers_stand_as_tabulated() {
    let told = |conditions: Value, ready| {
        let health = autoscaler_health(Some(&json!({"status": {"conditions": conditions}})), ready);
        format!("{:?} {}", health.state, health.reason)
    };
    let active = |status: &str| json!({"type": "ScalingActive", "status": status});
    assert_eq!(autoscaler_health(None, true).reason, "HPANotFound");
    assert_eq!(told(json!([]), false), "Progressing WaitingForMetrics");
    assert_eq!(told(json!([active("False")]), true), "Failed MetricsFailed");
    assert_eq!(told(json!([active("True")]), true), "Ready HPAOperational");
    let unable = json!({"type": "AbleToScale", "status": "False"});
    assert_eq!(
        told(json!([active("True"), unable]), true),
        "Progressing ScaleTargetNotReady"
    );
}
