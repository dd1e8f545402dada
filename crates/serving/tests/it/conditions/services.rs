use reeve_serving::config::{ConfigNotFound, RuntimeConfig};
use reeve_serving::gpu::inventory;
use reeve_serving::labels::Controller;
use reeve_serving::plan::{Plan, service};
use reeve_serving_crds::AimServiceStatus;
use reeve_serving_specs::conditions::{Case, PASSED};
use serde_json::{Value, json};

use super::{NOW, case, configs, pods};
use crate::plan::service_of;
use crate::things::{of, parent, time};

/// What is seen of a service of the model `m`.
pub(super) struct Around<'a> {
    spec: Value,
    namespace: &'static str,
    config: Result<RuntimeConfig, ConfigNotFound>,
    models: Vec<Value>,
    templates: Vec<Value>,
    caches: Vec<Value>,
    inference: Option<Value>,
    events: Value,
    pod: Option<&'a pods::Seen>,
    route: Option<Value>,
    autoscaler: Option<Value>,
}

fn model(name: &str, state: &str) -> Value {
    json!({"metadata": {"name": name, "uid": name}, "spec": {"image": "i:1"}, "status": {"status": state}})
}

fn template(name: &str, state: &str) -> Value {
    json!({"metadata": {"name": name, "uid": name}, "spec": {"modelName": "m"},
        "status": {"status": state, "profile": {"metadata": {"type": "optimized"}}}})
}

/// A service whose model and template are ready, and which needs no files.
pub(super) fn plain() -> Around<'static> {
    Around {
        spec: json!({"model": {"name": "m"}}),
        namespace: "ns",
        config: Ok(RuntimeConfig::default()),
        models: vec![model("m", "Ready")],
        templates: vec![template("t", "Ready")],
        caches: Vec::new(),
        inference: None,
        events: json!([]),
        pod: None,
        route: None,
        autoscaler: None,
    }
}

impl Around<'_> {
    /// With this in its spec beside the model.
    fn with(mut self, more: &Value) -> Self {
        let spec = self.spec.as_object_mut().unwrap();
        spec.extend(more.as_object().unwrap().clone());
        self
    }

    fn runs(self, ready: &str) -> Self {
        let condition = json!({"type": "Ready", "status": ready, "lastTransitionTime": NOW});
        Self {
            inference: Some(json!({"metadata": {"uid": "u"}, "status": {"conditions": [condition]}})),
            ..self
        }
    }

    pub(super) fn plan(self) -> Plan<AimServiceStatus> {
        let pods: Vec<_> = self.pod.into_iter().map(pods::Seen::seen).collect();
        service::plan(&service::Seen {
            service: &service_of(&self.spec, &json!({})),
            parent: &parent("AIMService", "s", Controller::Service),
            namespace: self.namespace,
            config: &self.config,
            models: &self.models.into_iter().map(of).collect::<Vec<_>>(),
            cluster_models: &[],
            templates: &self.templates.into_iter().map(of).collect::<Vec<_>>(),
            cluster_templates: &[],
            caches: &self.caches.into_iter().map(of).collect::<Vec<_>>(),
            inventory: &inventory([]),
            inference: self.inference.as_ref(),
            events: &of::<Vec<_>>(self.events),
            pods: &pods,
            route: self.route.as_ref(),
            autoscaler: self.autoscaler.as_ref(),
            now: time(NOW).0,
        })
    }
}

fn told(name: &str, around: Around<'_>) -> Case {
    case("AIMService", format!("a service {name}"), &around.plan())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, config) in configs() {
        cases.push(told(&format!("with {name}"), Around { config, ..plain() }));
    }
    cases.extend(choices());
    cases.extend(caches());
    cases.extend(running());
    cases.extend(routes());
    cases.extend(autoscalers());
    cases
}

/// Its model and its template.
fn choices() -> Vec<Case> {
    let without = |spec: Value| Around {
        spec,
        models: Vec::new(),
        templates: Vec::new(),
        ..plain()
    };
    let twice = Around {
        spec: json!({"model": {"image": "i:1"}}),
        models: vec![model("a", "Ready"), model("b", "Ready")],
        ..plain()
    };
    let templates = |templates: Vec<Value>| Around { templates, ..plain() };
    vec![
        told("that is all ready", plain().runs("True")),
        told(
            "of a model that nobody made",
            without(json!({"model": {"name": "m"}})),
        ),
        told(
            "of an image without a model",
            without(json!({"model": {"image": "i:1"}})),
        ),
        told(
            "of an image that is none",
            without(json!({"model": {"image": "a b"}})),
        ),
        told("of no model", without(json!({"model": {}}))),
        told("of an image with two models", twice),
        told(
            "of a model that is not ready",
            Around {
                models: vec![model("m", "Progressing")],
                ..plain()
            },
        ),
        told(
            "of a template that nobody made",
            plain().with(&json!({"template": {"name": "none"}})),
        ),
        told(
            "of a template that is not ready",
            templates(vec![template("t", "Progressing")]),
        ),
        told(
            "of two templates that are equally good",
            templates(vec![template("a", "Ready"), template("b", "Ready")]),
        ),
    ]
}

/// Its files.
fn caches() -> Vec<Case> {
    let mut with_files = template("t", "Ready");
    with_files["status"]["modelSources"] = json!([{"modelId": "a/b", "sourceUri": "hf://a/b"}]);
    let with = |caches: Vec<Value>| Around {
        caches,
        templates: vec![with_files.clone()],
        ..plain()
    };
    let cache = |state: &str| {
        json!({"metadata": {"name": "c", "uid": "c"}, "spec": {"templateName": "t", "templateScope": "Namespace"},
            "status": {"status": state}})
    };
    let volumes = json!([{"name": "a", "persistentVolumeClaim": {"claimName": "a"}}]);
    let lost = Around {
        inference: Some(json!({"metadata": {"uid": "u"}, "spec": {"predictor": {"volumes": volumes}}})),
        ..with(Vec::new())
    };
    vec![
        told("without its cache", with(Vec::new())),
        told("whose files are there", with(vec![cache("Ready")])),
        told("whose files are on their way", with(vec![cache("Progressing")])),
        told("whose files could not be stored", with(vec![cache("Failed")])),
        told("whose cache is gone in use", lost),
    ]
}

/// What serves it.
fn running() -> Vec<Case> {
    let event = |reason: &str| json!([pods::event(reason)]);
    let with_event = |reason: &str| Around {
        events: event(reason),
        ..plain().runs("False")
    };
    let mut cases = vec![
        told("whose InferenceService is being made", plain()),
        told(
            "that KServe would make serverless",
            with_event("ServerlessModeRejected"),
        ),
        told(
            "whose InferenceService KServe cannot follow",
            with_event("InternalError"),
        ),
        told(
            "with more replicas at least than at most",
            plain().with(&json!({"minReplicas": 3, "maxReplicas": 2})),
        ),
    ];
    for pod in pods::all() {
        let around = Around {
            pod: Some(&pod),
            ..plain().runs("False")
        };
        cases.push(told(&format!("with {}", pod.name), around));
    }
    cases
}

fn routes() -> Vec<Case> {
    let with = |more: Value| {
        let mut routing = json!({"enabled": true, "gatewayRef": {"name": "g"}});
        routing
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        plain().with(&json!({"routing": routing}))
    };
    let answered = |conditions: Value| {
        let metadata = json!({"generation": 1, "creationTimestamp": NOW});
        let parents = json!([{"parentRef": {"name": "g"}, "conditions": conditions}]);
        Around {
            route: Some(
                json!({"metadata": metadata, "spec": {"parentRefs": [{"name": "g"}]}, "status": {"parents": parents}}),
            ),
            ..with(json!({}))
        }
    };
    let accepted =
        |status: &str| json!([{"type": "Accepted", "status": status, "reason": PASSED, "message": "m"}]);
    let long = Around {
        namespace: "a-namespace-that-leaves-no-room-for-the-name-of-what-serves",
        ..with(json!({}))
    };
    vec![
        told(
            "without a Gateway",
            plain().with(&json!({"routing": {"enabled": true}})),
        ),
        told("whose route is being made", with(json!({}))),
        told("whose Gateway says nothing", answered(json!([]))),
        told("whose Gateway took its route", answered(accepted("True"))),
        told("whose Gateway refused its route", answered(accepted("False"))),
        told(
            "with a path template that gives no path",
            with(json!({"pathTemplate": "/{.metadata.labels['none']}"})),
        ),
        told(
            "with a time limit that is none",
            with(json!({"requestTimeout": "soon"})),
        ),
        told("whose namespace leaves no room for names", long),
    ]
}

fn autoscalers() -> Vec<Case> {
    let with = |ready: &str, conditions: Option<Value>| Around {
        autoscaler: conditions.map(|conditions| json!({"status": {"conditions": conditions}})),
        ..plain()
            .with(&json!({"minReplicas": 1, "maxReplicas": 2}))
            .runs(ready)
    };
    let active = |status: &str| json!({"type": "ScalingActive", "status": status});
    let unable = json!({"type": "AbleToScale", "status": "False"});
    vec![
        told("without its autoscaler", with("False", None)),
        told(
            "whose autoscaler waits for metrics",
            with("False", Some(json!([active("False")]))),
        ),
        told(
            "whose autoscaler has no metrics",
            with("True", Some(json!([active("False")]))),
        ),
        told(
            "whose autoscaler finds nothing to scale",
            with("True", Some(json!([active("True"), unable]))),
        ),
        told(
            "whose autoscaler works",
            with("True", Some(json!([active("True")]))),
        ),
    ]
}
