//! A service from image to Running, changed, paused and deleted.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use reeve_serving_crds::{
    AimArtifact, AimModel, AimRuntimeConfig, AimService, AimServiceTemplate, AimTemplateCache,
};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::image;
use crate::rig::{Rig, condition, create, foreign, until};

/// A model whose image is known: one recommended way to run it, without a GPU.
pub(crate) fn model(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "image": image::NAME,
        "imageMetadata": {"model": {"canonicalName": "org/tiny", "recommendedDeployments": [
            {"precision": "fp16", "metric": "latency"},
        ]}},
    }})
}

/// The namespace's defaults: how services are reached, where files lie, who downloads.
fn config(class: &str) -> Value {
    json!({"metadata": {"name": "default"}, "spec": {
        "routing": {"enabled": true, "gatewayRef": {"name": "main", "namespace": "gateways"}},
        "storage": {"defaultStorageClassName": class},
        "labelPropagation": {"enabled": true, "match": ["team.example/*"]},
    }})
}

fn service(name: &str, spec: &Value) -> Value {
    let mut service =
        json!({"metadata": {"name": name, "labels": {"team.example/name": "robots"}}, "spec": spec});
    service["spec"]["model"] = service["spec"]
        .get("model")
        .cloned()
        .unwrap_or_else(|| json!({"image": image::NAME}));
    service
}

/// The reference's downloader is what artifacts name; here it is the stand-in.
async fn use_stand_in_downloader(rig: &Rig, client: &kube::Client, namespace: &str) {
    let artifacts = Api::<AimArtifact>::namespaced(client.clone(), namespace);
    let found = wait_until("an artifact", async || {
        let list = artifacts.list(&ListParams::default()).await?;
        Ok(list.items.into_iter().next())
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}\n{}", rig.operator.log()));
    let patch = Patch::Merge(json!({"spec": {"modelDownloadImage": image::NAME}}));
    artifacts
        .patch(&found.name_any(), &PatchParams::default(), &patch)
        .await
        .unwrap();
    // The first download was begun with the image of before, and is made again with this one.
    let jobs = Api::<Job>::namespaced(client.clone(), namespace);
    let first = wait_until("the first download", async || {
        let list = jobs
            .list(&ListParams::default().labels("aim.eai.amd.com/component=download"))
            .await?;
        Ok(list.items.into_iter().next())
    })
    .await
    .unwrap();
    jobs.delete(&first.name_any(), &DeleteParams::background())
        .await
        .unwrap();
}

pub(crate) async fn a_service_goes_from_image_to_running_and_leaves_nothing_behind(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "life";
    rig.namespace(namespace).await;
    rig.volume("life-files").await;
    create::<AimRuntimeConfig>(&client, namespace, config("life-files")).await;
    create::<AimModel>(&client, namespace, model("tiny")).await;
    create::<AimService>(&client, namespace, service("chat", &json!({}))).await;
    use_stand_in_downloader(rig, &client, namespace).await;

    let running = until::<AimService>(&client, namespace, "chat", |service| {
        service["status"]["status"] == "Running"
    })
    .await;
    let status = &running["status"];
    assert_eq!(status["resolvedModel"]["name"], "tiny");
    assert_eq!(status["observedGeneration"], running["metadata"]["generation"]);
    assert_eq!(status["runtime"]["replicas"], "1");
    let uid = running["metadata"]["uid"].as_str().unwrap();
    assert_eq!(status["routing"]["path"], format!("/{namespace}/{uid}"));
    assert_eq!(condition(&running, "Ready")["reason"], "AllComponentsReady");
    let types: Vec<&str> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["type"].as_str().unwrap())
        .filter(|type_| type_.ends_with("Ready"))
        .collect();
    assert_eq!(
        types,
        [
            "RuntimeConfigReady",
            "ModelReady",
            "TemplateReady",
            "CacheReady",
            "HTTPRouteReady",
            "InferenceServiceReady",
            "Ready"
        ],
    );
    what_was_made(&client, namespace, status).await;
    another_profile_is_discovered_anew(&client, namespace, status).await;
    a_change_reaches_what_serves(&client, namespace).await;
    at_rest_nothing_is_written(rig, namespace).await;
    a_paused_service_is_left_alone(&client, namespace).await;
    q17_a_route_goes_when_routing_is_switched_off(&client, namespace).await;
    deletion_cleans_up(&client, namespace).await;
    q27_a_namespace_that_ends_is_not_held_up(rig).await;
}

async fn q17_a_route_goes_when_routing_is_switched_off(client: &kube::Client, namespace: &str) {
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    let patch = Patch::Merge(json!({"spec": {"routing": {"enabled": false}}}));
    services
        .patch("chat", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let routes = foreign(client, namespace, "HTTPRoute");
    wait_until("the route to go", async || {
        Ok(routes
            .list(&ListParams::default())
            .await?
            .items
            .is_empty()
            .then_some(()))
    })
    .await
    .unwrap();
    // Nothing of the route is left in the way.
    until::<AimService>(client, namespace, "chat", |service| {
        service["status"]["status"] == "Running"
            && condition(service, "HTTPRouteReady").is_null()
            && service["status"]["routing"].is_null()
    })
    .await;
}

/// Planted fault: a finalizer that waits for its deletions in a namespace that ends keeps that for ever.
async fn q27_a_namespace_that_ends_is_not_held_up(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "ends-quiet";
    rig.namespace(namespace).await;
    let cache =
        json!({"metadata": {"name": "c"}, "spec": {"templateName": "none", "templateScope": "Namespace"}});
    create::<AimTemplateCache>(&client, namespace, cache).await;
    create::<AimService>(
        &client,
        namespace,
        service("s", &json!({"model": {"name": "nobody"}})),
    )
    .await;
    let held = |object: &Value| {
        object["metadata"]["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty())
    };
    until::<AimTemplateCache>(&client, namespace, "c", held).await;
    until::<AimService>(&client, namespace, "s", held).await;
    let namespaces = Api::<k8s_openapi::api::core::v1::Namespace>::all(client);
    namespaces
        .delete(namespace, &DeleteParams::default())
        .await
        .unwrap();
    wait_until("the namespace to be gone", async || {
        Ok(namespaces.get_opt(namespace).await?.is_none().then_some(()))
    })
    .await
    .unwrap();
}

/// Template, files and InferenceService are as they are to be.
async fn what_was_made(client: &kube::Client, namespace: &str, status: &Value) {
    let template = status["resolvedTemplate"]["name"].as_str().unwrap();
    let template = until::<AimServiceTemplate>(client, namespace, template, |_| true).await;
    assert_eq!(condition(&template, "Discovered")["reason"], "DiscoveryComplete");
    assert_eq!(template["status"]["modelSources"][0]["size"], "512Mi");
    assert_eq!(template["status"]["profile"]["metadata"]["type"], "optimized");
    let cache = status["cache"]["templateCacheRef"]["name"].as_str().unwrap();
    until::<AimTemplateCache>(client, namespace, cache, |cache| {
        cache["status"]["status"] == "Ready"
    })
    .await;
    let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), namespace);
    let claim = claims.list(&ListParams::default()).await.unwrap().items.remove(0);

    let list = foreign(client, namespace, "InferenceService")
        .list(&ListParams::default())
        .await
        .unwrap();
    let inference = serde_json::to_value(&list.items[0]).unwrap();
    let predictor = &inference["spec"]["predictor"];
    assert_eq!(predictor["containers"][0]["image"], image::NAME);
    let volumes = predictor["volumes"].as_array().unwrap();
    assert!(
        volumes
            .iter()
            .any(|v| v["persistentVolumeClaim"]["claimName"] == claim.name_any()),
        "{volumes:?}"
    );
    // Labels: ours, and those that the runtime configuration lets through.
    assert_eq!(inference["metadata"]["labels"]["aim.eai.amd.com/service"], "chat");
    assert_eq!(inference["metadata"]["labels"]["team.example/name"], "robots");
    assert_eq!(inference["metadata"]["ownerReferences"][0]["kind"], "AIMService");
    let managers: Vec<&str> = inference["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["operation"] == "Apply")
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect();
    assert_eq!(managers, ["aim-service-controller"]);
}

/// The Job of before is still there, with its answer.
async fn another_profile_is_discovered_anew(client: &kube::Client, namespace: &str, status: &Value) {
    let name = status["resolvedTemplate"]["name"].as_str().unwrap();
    let before = until::<AimServiceTemplate>(client, namespace, name, |_| true).await;
    let hash = |template: &Value| template["status"]["discovery"]["specHash"].clone();
    assert!(hash(&before).is_string(), "{before:#}");
    let templates = Api::<AimServiceTemplate>::namespaced(client.clone(), namespace);
    let patch = Patch::Merge(json!({"spec": {"profileId": "another"}}));
    templates
        .patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
    let again = until::<AimServiceTemplate>(client, namespace, name, |template| {
        template["status"]["status"] == "Ready" && hash(template) != hash(&before)
    })
    .await;
    let job = |template: &Value| template["status"]["discoveryJob"]["name"].clone();
    assert_ne!(job(&again), job(&before));
}

async fn a_change_reaches_what_serves(client: &kube::Client, namespace: &str) {
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    let patch = Patch::Merge(json!({"spec": {"replicas": 3, "env": [{"name": "COLOUR", "value": "blue"}]}}));
    services
        .patch("chat", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let inference = foreign(client, namespace, "InferenceService");
    wait_until("three replicas", async || {
        let found = serde_json::to_value(inference.list(&ListParams::default()).await?.items)?;
        let predictor = &found[0]["spec"]["predictor"];
        let env = predictor["containers"][0]["env"].as_array().unwrap();
        Ok((predictor["minReplicas"] == 3 && env.iter().any(|v| v["value"] == "blue")).then_some(()))
    })
    .await
    .unwrap();
    what_is_taken_back_goes(client, namespace).await;
    // Running again once the stand-in KServe has said so of the new generation.
    until::<AimService>(client, namespace, "chat", |service| {
        service["status"]["status"] == "Running" && service["status"]["runtime"]["replicas"] == "3"
    })
    .await;
}

/// A limit and a time limit stand in lists that have no keys, of which the API server tells no owner of a part.
async fn what_is_taken_back_goes(client: &kube::Client, namespace: &str) {
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    let inference = foreign(client, namespace, "InferenceService");
    let routes = foreign(client, namespace, "HTTPRoute");
    let limits = async |limit: Value, time: Value, there: bool| {
        let patch = json!({"spec": {"resources": {"limits": {"memory": limit}}, "routing": {"requestTimeout": time}}});
        let parameters = PatchParams::default();
        services
            .patch("chat", &parameters, &Patch::Merge(patch))
            .await
            .unwrap();
        let what = format!("limits to be there: {there}");
        wait_until(&what, async || {
            let runs = serde_json::to_value(inference.list(&ListParams::default()).await?.items)?;
            let route = serde_json::to_value(routes.list(&ListParams::default()).await?.items)?;
            let memory = &runs[0]["spec"]["predictor"]["containers"][0]["resources"]["limits"]["memory"];
            let timeouts = &route[0]["spec"]["rules"][0]["timeouts"];
            Ok((memory.is_string() == there && timeouts.is_object() == there).then_some(()))
        })
        .await
        .unwrap();
    };
    limits(json!("64Mi"), json!("30s"), true).await;
    limits(Value::Null, Value::Null, false).await;
}

async fn at_rest_nothing_is_written(rig: &Rig, namespace: &str) {
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let mark = rig.cluster.audit_mark();
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    let writes = rig.requests(mark).into_iter().filter(|event| {
        event.namespace == namespace && !["get", "list", "watch"].contains(&event.verb.as_str())
    });
    let writes: Vec<String> = writes
        .map(|event| format!("{} {} {}", event.verb, event.resource, event.name))
        .collect();
    assert_eq!(writes, Vec::<String>::new());
}

async fn a_paused_service_is_left_alone(client: &kube::Client, namespace: &str) {
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    let annotate = |paused: Value| {
        Patch::Merge(json!({"metadata": {"annotations": {"aim.eai.amd.com/reconciliation-paused": paused}}}))
    };
    services
        .patch("chat", &PatchParams::default(), &annotate(json!("true")))
        .await
        .unwrap();
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    services
        .patch("chat", &PatchParams::default(), &patch)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let list = foreign(client, namespace, "InferenceService")
        .list(&ListParams::default())
        .await
        .unwrap();
    assert_eq!(
        serde_json::to_value(&list.items[0]).unwrap()["spec"]["predictor"]["minReplicas"],
        3
    );
    services
        .patch("chat", &PatchParams::default(), &annotate(Value::Null))
        .await
        .unwrap();
    until::<AimService>(client, namespace, "chat", |service| {
        service["status"]["runtime"]["replicas"] == "2"
    })
    .await;
}

/// What serves goes with the service; files that are stored stay for the next one.
async fn deletion_cleans_up(client: &kube::Client, namespace: &str) {
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    services.delete("chat", &DeleteParams::default()).await.unwrap();
    wait_until("the service to be gone", async || {
        let service = services.get_opt("chat").await?;
        let inference = foreign(client, namespace, "InferenceService")
            .list(&ListParams::default())
            .await?;
        let routes = foreign(client, namespace, "HTTPRoute")
            .list(&ListParams::default())
            .await?;
        Ok((service.is_none() && inference.items.is_empty() && routes.items.is_empty()).then_some(()))
    })
    .await
    .unwrap();
    let caches = Api::<AimTemplateCache>::namespaced(client.clone(), namespace);
    assert_eq!(caches.list(&ListParams::default()).await.unwrap().items.len(), 1);
}
