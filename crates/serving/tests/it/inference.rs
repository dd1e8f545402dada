use std::collections::BTreeMap;

use reeve_serving::inference::{Serving, route, routing};
use reeve_serving::labels::Controller;
use reeve_serving_crds::CachedArtifact;
use serde_json::{Value, json};

use crate::things::{UID, of, parent};

/// What an InferenceService is made of, as JSON.
#[derive(Clone)]
pub(crate) struct Ingredients {
    pub(crate) service: Value,
    pub(crate) template: Value,
    pub(crate) status: Value,
    pub(crate) config: Value,
    pub(crate) artifacts: Value,
    pub(crate) existing: Option<Value>,
}

pub(crate) fn plain() -> Ingredients {
    Ingredients {
        service: json!({"model": {"name": "m"}}),
        template: json!({"modelName": "m"}),
        status: json!({}),
        config: json!({}),
        artifacts: json!({}),
        existing: None,
    }
}

impl Ingredients {
    pub(crate) fn made(&self) -> Value {
        let owner = parent("AIMService", "test-service", Controller::Service);
        let artifacts: BTreeMap<String, CachedArtifact> = of(self.artifacts.clone());
        let serving = Serving {
            parent: &owner,
            namespace: "default",
            spec: &of(self.service.clone()),
            image: "i:1",
            template_name: "T/1",
            template: &of(self.template.clone()),
            status: &of(self.status.clone()),
            config: &of(self.config.clone()),
            artifacts: &artifacts,
            existing: self.existing.as_ref(),
        };
        serving.inference_service().unwrap()
    }
}

#[test]
fn a_plain_service_becomes_a_plain_inference_service() {
    assert_eq!(
        plain().made(),
        json!({
            "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
            "metadata": {
                "name": "test-service-1080a608", "namespace": "default",
                "annotations": {"serving.kserve.io/autoscalerClass": "none"},
                "labels": {"app.kubernetes.io/managed-by": "aim-engine", "app.kubernetes.io/component": "inference",
                           "aim.eai.amd.com/service": "test-service", "aim.eai.amd.com/service.name": "test-service",
                           "aim.eai.amd.com/model": "m", "aim.eai.amd.com/template": "t_1"},
                "ownerReferences": [{"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService", "name": "test-service", "uid": UID,
                                     "controller": true}],
            },
            "spec": {"predictor": {
                "minReplicas": 1, "maxReplicas": 1,
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "volumes": [{"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}],
                "containers": [{
                    "name": "kserve-container", "image": "i:1", "resources": {},
                    "env": [{"name": "AIM_CACHE_PATH", "value": "/workspace/cache"}, {"name": "VLLM_ENABLE_METRICS", "value": "true"}],
                    "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                    "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "dshm", "mountPath": "/dev/shm"}],
                }],
            }},
        })
    );
}

#[test]
fn resources_follow_gpus_then_template_then_service() {
    let mut with = plain();
    with.status = json!({"resolvedHardware": {"gpu": {"requests": 2, "model": "MI300X", "resourceName": "amd.com/gpu"}}});
    let resources =
        |with: &Ingredients| with.made()["spec"]["predictor"]["containers"][0]["resources"].clone();
    assert_eq!(
        resources(&with),
        json!({
        "requests": {"cpu": "8", "memory": "64Gi", "amd.com/gpu": "2"}, "limits": {"memory": "96Gi", "amd.com/gpu": "2"}})
    );
    with.template["resources"] = json!({"requests": {"cpu": "2000m"}});
    with.service["resources"] = json!({"limits": {"memory": "0.5Gi"}});
    assert_eq!(
        resources(&with),
        json!({
        "requests": {"cpu": "2", "memory": "64Gi", "amd.com/gpu": "2"}, "limits": {"memory": "512Mi", "amd.com/gpu": "2"}})
    );
    with.service["resources"] = json!({});
    assert_eq!(
        resources(&with)["requests"]["cpu"],
        "2",
        "an empty object says nothing"
    );
}

#[test]
fn variables_come_in_the_order_of_the_contract() {
    let with = Ingredients {
        service: json!({"model": {"name": "m"}, "env": [{"name": "D", "value": "service"}]}),
        template: json!({"modelName": "m", "profileId": "p", "precision": "fp8", "modelSources": [{"modelId": "org/m", "sourceUri": "hf://org/m"}],
            "env": [{"name": "C", "value": "template"}, {"name": "D", "value": "template"}]}),
        config: json!({"env": [{"name": "B", "value": "config"}, {"name": "C", "value": "config"}, {"name": "AIM_CACHE_PATH", "value": "/x"}]}),
        ..plain()
    };
    let env = with.made()["spec"]["predictor"]["containers"][0]["env"].clone();
    let env: Vec<String> = env
        .as_array()
        .unwrap()
        .iter()
        .map(|v| format!("{}={}", v["name"].as_str().unwrap(), v["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        env,
        [
            "AIM_CACHE_PATH=/x",
            "AIM_MODEL_ID=org/m",
            "AIM_PRECISION=fp8",
            "AIM_PROFILE_ID=p",
            "B=config",
            "C=template",
            "D=service",
            "VLLM_ENABLE_METRICS=true"
        ]
    );
}

#[test]
fn stored_files_are_mounted_at_creation_and_kept_afterwards() {
    let mut with = plain();
    with.artifacts = json!({
        "a": {"uid": "u", "name": "a.x", "model": "org/m", "status": "Ready", "persistentVolumeClaim": "claim-a"},
        "b": {"uid": "u", "name": "b", "model": "org/..", "status": "Ready", "persistentVolumeClaim": "claim-b"},
        "c": {"uid": "u", "name": "c", "model": "org/c", "status": "Progressing", "persistentVolumeClaim": "claim-c"},
        "d": {"uid": "u", "name": "d", "model": "org/d", "status": "Ready"},
    });
    let made = with.made();
    let predictor = &made["spec"]["predictor"];
    assert_eq!(
        predictor["volumes"].as_array().unwrap()[1..],
        [
            json!({"name": "a-x", "persistentVolumeClaim": {"claimName": "claim-a"}}),
            json!({"name": "b", "persistentVolumeClaim": {"claimName": "claim-b"}})
        ]
    );
    assert_eq!(
        predictor["containers"][0]["volumeMounts"].as_array().unwrap()[1..],
        [
            json!({"name": "a-x", "mountPath": "/workspace/cache/org/m"}),
            json!({"name": "b", "mountPath": "/workspace/cache/org/"})
        ]
    );
    let again = Ingredients {
        artifacts: json!({}),
        existing: Some(made.clone()),
        ..with
    };
    assert_eq!(again.made()["spec"]["predictor"]["volumes"], predictor["volumes"]);
    assert_eq!(again.made(), made);
}

#[test]
fn replicas_are_fixed_or_follow_metrics() {
    let with = |more: Value| {
        let mut with = plain();
        with.service
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let made = with.made();
        let predictor = &made["spec"]["predictor"];
        let class = made["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"]
            .as_str()
            .unwrap()
            .to_owned();
        (
            class,
            predictor["minReplicas"].clone(),
            predictor["maxReplicas"].clone(),
            made,
        )
    };
    let (class, least, most, _) = with(json!({"replicas": 0}));
    assert_eq!((class.as_str(), least, most), ("none", json!(0), json!(0)));
    let (class, least, most, made) = with(json!({"maxReplicas": 3, "replicas": 9}));
    assert_eq!((class.as_str(), least, most), ("keda", json!(1), json!(3)));
    assert_eq!(
        made["metadata"]["annotations"]["sidecar.opentelemetry.io/inject"],
        "test-service-1080a608-predictor"
    );
    assert_eq!(
        made["metadata"]["annotations"]["prometheus.kserve.io/port"],
        "8000"
    );
    let metric = json!({"type": "PodMetric", "podmetric": {"metric": {"query": "q"}, "target": {"type": "Value", "value": "1"}}});
    let (_, least, most, made) = with(json!({"minReplicas": 2, "autoScaling": {"metrics": [metric]}}));
    assert_eq!((least, most), (json!(2), json!(2)));
    assert_eq!(
        made["spec"]["predictor"]["autoScaling"]["metrics"],
        json!([metric])
    );
}

#[test]
fn a_route_goes_to_the_predictor_at_the_gateway() {
    let owner = parent("AIMService", "test-service", Controller::Service);
    let config = of(
        json!({"enabled": true, "gatewayRef": {"name": "g"}, "requestTimeout": "180s", "annotations": {"a": "b"}}),
    );
    let made = |service: Option<Value>| {
        let routing = routing(service.map(of).as_ref(), Some(&config));
        route(
            &owner,
            "default",
            &routing,
            &json!({"metadata": {"name": "test-service"}}),
        )
        .unwrap()
    };
    let route = made(None).unwrap();
    assert_eq!(route.object["metadata"]["annotations"], json!({"a": "b"}));
    assert_eq!(
        route.object["spec"],
        json!({
        "parentRefs": [{"name": "g"}],
        "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": format!("/default/{UID}")}}],
            "filters": [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
            "backendRefs": [{"group": "", "kind": "Service", "name": "test-service-1080a608-predictor", "namespace": "default", "port": 80, "weight": 1}],
            "timeouts": {"request": "3m0s"}}]})
    );
    assert_eq!(
        made(Some(json!({"pathTemplate": "/x/{.metadata.name}"})))
            .unwrap()
            .path,
        "/x/test-service"
    );
    assert_eq!(
        made(Some(json!({"enabled": false}))),
        None,
        "a service can switch off what the cluster switches on"
    );
    let wrong = made(Some(json!({"requestTimeout": "soon"}))).unwrap();
    assert_eq!(wrong.timeout_problem.as_deref(), Some("soon"));
}
