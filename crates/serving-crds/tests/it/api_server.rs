//! The definitions on a real API server.
//!
//! The planted fault is in the test itself: the same definitions without their CEL rules are installed beside, under another
//! group, and every object that a rule is to refuse must be accepted there. A case that is refused for another reason (a
//! schema, a misspelt field) is so shown not to test its rule.

use reeve_serving_crds::{
    AimArtifact, AimClusterModel, AimClusterModelSource, AimClusterRuntimeConfig, AimClusterServiceTemplate,
    AimModel, AimRuntimeConfig, AimService, AimServiceTemplate, AimTemplateCache, GROUP, all,
};
use reeve_testkit::kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use reeve_testkit::kube::core::{ApiResource, GroupVersionKind};
use reeve_testkit::kube::{self, Client, ResourceExt};
use reeve_testkit::{Options, Tier, apply_yaml, own_cluster};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::objects::{KINDS, full, minimal, object, status};

const WITHOUT_RULES: &str = "no-rules.example";

fn strip_rules(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("x-kubernetes-validations");
            object.values_mut().for_each(strip_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_rules),
        _ => {}
    }
}

async fn install(client: &Client) {
    for definition in all().unwrap() {
        let mut value = serde_json::to_value(&definition).unwrap();
        value["apiVersion"] = json!("apiextensions.k8s.io/v1");
        value["kind"] = json!("CustomResourceDefinition");
        apply_yaml(client, &value.to_string()).await.unwrap();
        strip_rules(&mut value);
        let text = value.to_string().replace(GROUP, WITHOUT_RULES);
        apply_yaml(client, &text).await.unwrap();
    }
    for kind in KINDS {
        for group in [GROUP, WITHOUT_RULES] {
            let api = api(client, group, kind);
            reeve_testkit::wait_until("the kind to be served", async || {
                Ok(Some(api.list(&ListParams::default()).await?))
            })
            .await
            .unwrap();
        }
    }
}

fn api(client: &Client, group: &str, kind: &str) -> Api<DynamicObject> {
    let mut resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1alpha1", kind));
    resource.plural = format!("{}s", kind.to_lowercase());
    if kind.starts_with("AIMCluster") {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), "default", &resource)
    }
}

async fn create(client: &Client, group: &str, value: &Value) -> Result<DynamicObject, String> {
    let mut value = value.clone();
    value["apiVersion"] = json!(format!("{group}/v1alpha1"));
    let api = api(client, group, value["kind"].as_str().unwrap());
    let parameters = PostParams {
        field_manager: Some("test".to_owned()),
        ..PostParams::default()
    };
    match api
        .create(&parameters, &serde_json::from_value(value).unwrap())
        .await
    {
        Ok(made) => Ok(made),
        Err(kube::Error::Api(refusal)) => Err(refusal.message),
        Err(other) => panic!("{other}"),
    }
}

/// Merges `spec` into the object that is there.
async fn change(client: &Client, group: &str, kind: &str, name: &str, spec: Value) -> Result<(), String> {
    let patch = Patch::Merge(json!({"spec": spec}));
    match api(client, group, kind)
        .patch(name, &PatchParams::default(), &patch)
        .await
    {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(refusal)) => Err(refusal.message),
        Err(other) => panic!("{other}"),
    }
}

/// Every field that was sent is there: none was pruned.
fn assert_kept(kind: &str, sent: &Value, kept: &Value, path: &str) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            for (key, value) in sent {
                let found = kept
                    .get(key)
                    .unwrap_or_else(|| panic!("{kind}: {path}.{key} was pruned"));
                assert_kept(kind, value, found, &format!("{path}.{key}"));
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            for (n, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                assert_kept(kind, sent, kept, &format!("{path}[{n}]"));
            }
        }
        _ => assert_eq!(sent, kept, "{kind}: {path}"),
    }
}

/// Reads the object as its Rust type and writes that back: nothing of it is lost, and the API server takes it.
async fn reads_and_writes<K>(client: &Client, stored: &DynamicObject)
where
    K: kube::Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let stored = serde_json::to_value(stored).unwrap();
    let typed: K = serde_json::from_value(stored.clone()).unwrap();
    let again = serde_json::to_value(&typed).unwrap();
    for part in ["spec", "status"] {
        if let Some(sent) = stored.get(part) {
            let loose = |value: &Value| value.to_string().replace('"', "");
            // Quantities come back as text.
            assert_eq!(
                sorted(&loose(sent)),
                sorted(&loose(&again[part])),
                "{}",
                K::kind(&())
            );
        }
    }
    let kind = K::kind(&()).into_owned();
    let name = typed.name_any();
    let spec = again["spec"].clone();
    change(client, GROUP, &kind, &name, spec).await.unwrap();
}

fn sorted(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters.into_iter().collect()
}

async fn round_trip(client: &Client, kind: &str, stored: &DynamicObject) {
    match kind {
        "AIMArtifact" => reads_and_writes::<AimArtifact>(client, stored).await,
        "AIMClusterModel" => reads_and_writes::<AimClusterModel>(client, stored).await,
        "AIMClusterModelSource" => reads_and_writes::<AimClusterModelSource>(client, stored).await,
        "AIMClusterRuntimeConfig" => reads_and_writes::<AimClusterRuntimeConfig>(client, stored).await,
        "AIMClusterServiceTemplate" => reads_and_writes::<AimClusterServiceTemplate>(client, stored).await,
        "AIMModel" => reads_and_writes::<AimModel>(client, stored).await,
        "AIMRuntimeConfig" => reads_and_writes::<AimRuntimeConfig>(client, stored).await,
        "AIMService" => reads_and_writes::<AimService>(client, stored).await,
        "AIMServiceTemplate" => reads_and_writes::<AimServiceTemplate>(client, stored).await,
        "AIMTemplateCache" => reads_and_writes::<AimTemplateCache>(client, stored).await,
        other => panic!("{other}"),
    }
}

/// What no object may say from the beginning: kind, spec, words of the refusal.
fn refused_from_the_beginning() -> Vec<(&'static str, Value, &'static str)> {
    let hardware = |hardware: Value| json!({"modelName": "m", "hardware": hardware});
    let exactly_one = "exactly one of name, image and custom";
    vec![
        ("AIMService", json!({"model": {}}), exactly_one),
        (
            "AIMService",
            json!({"model": {"name": "m", "image": "i"}}),
            exactly_one,
        ),
        (
            "AIMModel",
            json!({"image": "a", "modelSources": [{"modelId": "a/b", "sourceUri": "hf://a/b"}], "customTemplates": [{"name": "x"}]}),
            "customTemplates needs hardware",
        ),
        (
            "AIMClusterModel",
            json!({"image": "a", "modelSources": [{"modelId": "a/b", "sourceUri": "hf://a/b"}],
                   "custom": {"type": "preview"},
                   "customTemplates": [{"hardware": {"gpu": {"requests": 1}}}, {"name": "x"}]}),
            "customTemplates needs hardware",
        ),
        (
            "AIMServiceTemplate",
            hardware(json!({})),
            "hardware needs gpu or cpu",
        ),
        (
            "AIMClusterServiceTemplate",
            hardware(json!({"gpu": {"model": "MI300X", "minVram": "64G"}})),
            "exclude each other",
        ),
    ]
}

/// What no object may become: kind, first spec, change, words of the refusal.
fn refused_as_a_change() -> Vec<(&'static str, Value, Value, &'static str)> {
    let gpu = |model: &str| json!({"gpu": {"model": model}});
    let service = |more: Value| {
        let mut spec = json!({"model": {"name": "m"}});
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        spec
    };
    let mut cases = vec![
        (
            "AIMService",
            service(json!({})),
            json!({"model": {"name": "other"}}),
            "model cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"template": {"name": "a"}})),
            json!({"template": {"name": "b"}}),
            "template cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"template": {}})),
            json!({"template": {"allowUnoptimized": true}}),
            "template cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"caching": {}})),
            json!({"caching": {"mode": "Dedicated"}}),
            "caching cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"overrides": {"metric": "latency"}})),
            json!({"overrides": {"metric": "throughput"}}),
            "metric cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"overrides": {"precision": "fp8"}})),
            json!({"overrides": {"precision": "fp16"}}),
            "precision cannot be changed",
        ),
        (
            "AIMService",
            service(json!({"overrides": {"hardware": gpu("MI300X")}})),
            json!({"overrides": {"hardware": gpu("MI325X")}}),
            "hardware cannot be changed",
        ),
        (
            "AIMArtifact",
            json!({"sourceUri": "hf://a/b"}),
            json!({"sourceUri": "hf://a/c"}),
            "sourceUri cannot be changed",
        ),
    ];
    for kind in ["AIMServiceTemplate", "AIMClusterServiceTemplate"] {
        let with = |key: &str, value: Value| json!({"modelName": "m", key: value});
        cases.extend([
            (
                kind,
                json!({"modelName": "m"}),
                json!({"modelName": "n"}),
                "modelName cannot be changed",
            ),
            (
                kind,
                with("metric", json!("latency")),
                json!({"metric": "throughput"}),
                "metric cannot be changed",
            ),
            (
                kind,
                with("precision", json!("fp8")),
                json!({"precision": "auto"}),
                "precision cannot be changed",
            ),
            (
                kind,
                with("hardware", gpu("MI300X")),
                json!({"hardware": gpu("MI210")}),
                "hardware cannot be changed",
            ),
        ]);
    }
    cases
}

/// What the schemas refuse without a rule.
fn refused_by_the_schema() -> Vec<(&'static str, Value, &'static str)> {
    let custom = |source: Value| json!({"model": {"custom": {"baseImage": "b", "hardware": {"cpu": {"requests": 1}}, "modelSources": source}}});
    let source = |id: &str, uri: &str| json!({"modelId": id, "sourceUri": uri});
    vec![
        ("AIMService", json!({}), "spec.model"),
        ("AIMService", custom(json!([])), "modelSources"),
        (
            "AIMService",
            custom(json!([source("a/b", "hf://a/b"), source("a/c", "hf://a/c")])),
            "modelSources",
        ),
        (
            "AIMService",
            json!({"model": {"name": "m"}, "caching": {"mode": "Sometimes"}}),
            "spec.caching.mode",
        ),
        (
            "AIMService",
            json!({"model": {"name": "m"}, "minReplicas": 0}),
            "spec.minReplicas",
        ),
        (
            "AIMService",
            json!({"model": {"name": "m"}, "resources": {"limits": {"cpu": "many"}}}),
            "spec.resources",
        ),
        (
            "AIMService",
            json!({"model": {"name": "m"}, "env": [{"name": "A"}, {"name": "A"}]}),
            "spec.env",
        ),
        ("AIMModel", json!({"image": ""}), "spec.image"),
        (
            "AIMModel",
            json!({"image": "a", "modelSources": [source("a", "hf://a")]}),
            "modelId",
        ),
        (
            "AIMModel",
            json!({"image": "a", "modelSources": [source("a/b", "https://a")]}),
            "sourceUri",
        ),
        ("AIMServiceTemplate", json!({"modelName": ""}), "spec.modelName"),
        (
            "AIMServiceTemplate",
            json!({"modelName": "m", "precision": "fp7"}),
            "spec.precision",
        ),
        (
            "AIMServiceTemplate",
            json!({"modelName": "m", "hardware": {"gpu": {"requests": -1}}}),
            "requests",
        ),
        (
            "AIMServiceTemplate",
            json!({"modelName": "m", "hardware": {"cpu": {}}}),
            "requests",
        ),
        ("AIMTemplateCache", json!({"templateName": "t"}), "templateScope"),
        (
            "AIMTemplateCache",
            json!({"templateName": "t", "templateScope": "Merged"}),
            "templateScope",
        ),
        ("AIMArtifact", json!({"sourceUri": "hf://a b"}), "spec.sourceUri"),
        ("AIMClusterModelSource", json!({"filters": []}), "spec.filters"),
        (
            "AIMClusterModelSource",
            json!({"filters": [{"image": "a"}], "maxModels": 0}),
            "spec.maxModels",
        ),
        (
            "AIMRuntimeConfig",
            json!({"storage": {"pvcHeadroomPercent": -1}}),
            "pvcHeadroomPercent",
        ),
        (
            "AIMClusterRuntimeConfig",
            json!({"routing": {"gatewayRef": {"name": "g", "port": 0}}}),
            "port",
        ),
    ]
}

async fn good_objects_are_kept_whole(client: &Client) {
    for kind in KINDS {
        let made = create(client, GROUP, &minimal(kind)).await.unwrap();
        round_trip(client, kind, &made).await;
        let value = full(kind);
        let made = create(client, GROUP, &value).await.unwrap();
        assert_kept(kind, &value["spec"], &made.data["spec"], "spec");
        let patch = Patch::Merge(json!({"status": status(kind)}));
        let made = api(client, GROUP, kind)
            .patch_status("full", &PatchParams::default(), &patch)
            .await
            .unwrap();
        assert_kept(kind, &status(kind), &made.data["status"], "status");
        round_trip(client, kind, &made).await;
    }
}

async fn bad_objects_are_refused(client: &Client) {
    for (number, (kind, spec, words)) in refused_from_the_beginning().into_iter().enumerate() {
        let value = object(kind, &format!("refused-{number}"), spec);
        let answer = create(client, GROUP, &value).await.map(|_| ());
        assert!(
            answer.as_ref().is_err_and(|m| m.contains(words)),
            "{value}: {answer:?}"
        );
        create(client, WITHOUT_RULES, &value).await.unwrap();
    }
    for (number, (kind, first, then, words)) in refused_as_a_change().into_iter().enumerate() {
        let name = format!("changed-{number}");
        for group in [GROUP, WITHOUT_RULES] {
            create(client, group, &object(kind, &name, first.clone()))
                .await
                .unwrap();
        }
        let answer = change(client, GROUP, kind, &name, then.clone()).await;
        assert!(
            answer.as_ref().is_err_and(|m| m.contains(words)),
            "{kind} {first} {then}: {answer:?}"
        );
        change(client, WITHOUT_RULES, kind, &name, then).await.unwrap();
    }
    for (number, (kind, spec, words)) in refused_by_the_schema().into_iter().enumerate() {
        let value = object(kind, &format!("schema-{number}"), spec);
        let answer = create(client, GROUP, &value).await.map(|_| ());
        assert!(
            answer.as_ref().is_err_and(|m| m.contains(words)),
            "{value}: {answer:?}"
        );
    }
}

async fn spec_of(client: &Client, value: Value) -> Value {
    create(client, GROUP, &value).await.unwrap().data["spec"].clone()
}

async fn defaults_and_absences(client: &Client) {
    let service = object(
        "AIMService",
        "defaults",
        json!({"model": {"name": "m"}, "caching": {}, "storage": {}, "replicas": null,
               "routing": {"gatewayRef": {"name": "g"}}, "overrides": {"hardware": {"gpu": {}}},
               "imagePullSecrets": [{}], "autoScaling": {"metrics": [{"type": "PodMetric",
                   "podmetric": {"metric": {}, "target": {"type": "Value"}}}]}}),
    );
    let spec = spec_of(client, service).await;
    assert_eq!(spec["replicas"], 1, "a null gets the default");
    assert_eq!(spec["caching"]["mode"], "Shared");
    assert_eq!(spec["storage"]["pvcHeadroomPercent"], 10);
    assert_eq!(spec["routing"]["gatewayRef"]["kind"], "Gateway");
    assert_eq!(
        spec["routing"]["gatewayRef"]["group"],
        "gateway.networking.k8s.io"
    );
    assert_eq!(
        spec["overrides"]["hardware"]["gpu"]["resourceName"],
        "amd.com/gpu"
    );
    assert_eq!(spec["imagePullSecrets"][0]["name"], "");
    assert_eq!(
        spec["autoScaling"]["metrics"][0]["podmetric"]["metric"]["backend"],
        "opentelemetry"
    );
    let bare = spec_of(client, object("AIMModel", "bare", json!({"image": "a"}))).await;
    assert_eq!(bare, json!({"image": "a"}), "what is absent stays absent");
    let model = object(
        "AIMModel",
        "defaults",
        json!({"image": "a", "discovery": {}, "customTemplates": [{}]}),
    );
    let model = spec_of(client, model).await;
    assert_eq!(
        model["discovery"],
        json!({"extractMetadata": true, "createServiceTemplates": true})
    );
    assert_eq!(model["customTemplates"][0]["type"], "unoptimized");
    let artifact = spec_of(
        client,
        object("AIMArtifact", "defaults", json!({"sourceUri": "hf://a/b"})),
    )
    .await;
    assert_eq!(
        artifact["modelDownloadImage"],
        "ghcr.io/silogen/aim-artifact-downloader:0.2.0"
    );
    let source = object(
        "AIMClusterModelSource",
        "defaults",
        json!({"filters": [{"image": "a"}]}),
    );
    let source = spec_of(client, source).await;
    assert_eq!(
        (&source["registry"], &source["syncInterval"], &source["maxModels"]),
        (&json!("docker.io"), &json!("1h"), &json!(100))
    );
    let config = object("AIMRuntimeConfig", "defaults", json!({"labelPropagation": {}}));
    assert_eq!(
        spec_of(client, config).await["labelPropagation"]["enabled"],
        false
    );
    // An empty status gets its default, and a spec is needed by no kind.
    let patch = Patch::Merge(json!({"status": {}}));
    let api = api(client, GROUP, "AIMModel");
    let made = api
        .patch_status("bare", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(made.data["status"]["status"], "Pending");
    for kind in KINDS {
        let mut value = object(kind, "spec-less", json!({}));
        value.as_object_mut().unwrap().remove("spec");
        create(client, GROUP, &value).await.unwrap();
    }
    let models: Api<AimService> = Api::namespaced(client.clone(), "default");
    assert!(
        models.list(&ListParams::default()).await.unwrap().items.len() > 3,
        "all are read, also the one without spec"
    );
}

/// An absent optional field can be added once, and removing one is no change.
async fn what_may_change(client: &Client) {
    let service = object("AIMService", "may-change", json!({"model": {"name": "m"}}));
    create(client, GROUP, &service).await.unwrap();
    for spec in [
        json!({"template": {"name": "t"}}),
        json!({"overrides": {"metric": "latency"}}),
        json!({"overrides": {"precision": "fp8"}}),
        json!({"replicas": 2}),
        json!({"env": [{"name": "A", "value": "1"}]}),
        json!({"template": null, "overrides": null}),
    ] {
        change(client, GROUP, "AIMService", "may-change", spec)
            .await
            .unwrap();
    }
    let no_hardware = object(
        "AIMModel",
        "no-templates",
        json!({"image": "a", "modelSources": [{"modelId": "a/b", "sourceUri": "hf://a/b"}]}),
    );
    create(client, GROUP, &no_hardware).await.unwrap();
}

#[tokio::test]
async fn the_api_server_takes_good_objects_whole_and_refuses_bad_ones_by_the_rule_meant_for_them() {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return;
    };
    let client = cluster.client().await.unwrap();
    install(&client).await;
    good_objects_are_kept_whole(&client).await;
    bad_objects_are_refused(&client).await;
    defaults_and_absences(&client).await;
    what_may_change(&client).await;
}
