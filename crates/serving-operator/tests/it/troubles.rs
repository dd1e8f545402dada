//! What goes wrong says so, with the container's own words, up to the service; rights and quiet.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use reeve_serving_crds::{AimArtifact, AimModel, AimService, AimTemplateCache};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::image;
use crate::rig::{Rig, condition, create, foreign, until};

fn custom_model(name: &str, uri: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "image": image::NAME,
        "modelSources": [{"modelId": format!("org/{name}"), "sourceUri": uri, "size": "1Mi"}],
        "custom": {"hardware": {"cpu": {"requests": "1"}}, "type": "optimized"},
    }})
}

pub(crate) async fn failures_of_a_download_are_told_apart_in_the_containers_own_words(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "downloads";
    rig.namespace(namespace).await;
    let cases = [
        ("gated", "AuthError", "AuthError", "Cannot access gated repo"),
        ("full", "StorageFull", "StorageFull", "No space left on device"),
        ("gone", "InvalidSpec", "SourceNotFound", "Repository Not Found"),
        ("stuck", "InvalidSpec", "DownloadStalled", "download stalled"),
        ("broken", "InvalidSpec", "DownloadCorrupt", "checksum mismatch"),
    ];
    for (name, ..) in cases {
        let volume = format!("downloads-{name}");
        rig.volume(&volume).await;
        create::<AimArtifact>(
            &client,
            namespace,
            json!({"metadata": {"name": name}, "spec": {
                "sourceUri": format!("hf://org/{name}"), "size": "1Mi", "storageClassName": volume,
                "modelDownloadImage": image::NAME,
            }}),
        )
        .await;
    }
    for (name, ready, pods, words) in cases {
        let artifact = until::<AimArtifact>(&client, namespace, name, |artifact| {
            condition(artifact, "DownloadJobPodsReady")["reason"] == pods
        })
        .await;
        assert_eq!(artifact["status"]["status"], "Failed", "{name}: {artifact:#}");
        let condition = condition(&artifact, "Ready");
        assert_eq!(condition["reason"], ready, "{name}: {artifact:#}");
        assert!(
            condition["message"].as_str().unwrap().contains(words),
            "{name}: {condition}"
        );
    }
}

pub(crate) async fn the_failure_of_a_download_reaches_cache_and_service(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "reaches";
    rig.namespace(namespace).await;
    // No volume and no provisioner: nothing could ever be stored.
    create::<AimModel>(&client, namespace, custom_model("nowhere", "hf://org/gone")).await;
    create::<AimService>(
        &client,
        namespace,
        json!({"metadata": {"name": "nowhere"}, "spec": {
            "model": {"name": "nowhere"}, "storage": {"defaultStorageClassName": ""},
        }}),
    )
    .await;
    let told = |object: &Value| {
        condition(object, "CacheReady")["message"]
            .as_str()
            .unwrap_or_default()
            .contains("storage class")
    };
    let service = until::<AimService>(&client, namespace, "nowhere", told).await;
    assert_ne!(service["status"]["status"], "Running");
    let caches = Api::<AimTemplateCache>::namespaced(client.clone(), namespace);
    let cache = serde_json::to_value(&caches.list(&ListParams::default()).await.unwrap().items[0]).unwrap();
    assert_eq!(
        condition(&cache, "ArtifactsReady")["reason"],
        "PvcProvisioningFailed",
        "{cache:#}"
    );
    // What it made and what holds nothing goes with it.
    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    services
        .delete("nowhere", &DeleteParams::default())
        .await
        .unwrap();
    let artifacts = Api::<AimArtifact>::namespaced(client.clone(), namespace);
    wait_until("caches and artifacts to go", async || {
        let left = caches.list(&ListParams::default()).await?.items.len()
            + artifacts.list(&ListParams::default()).await?.items.len();
        Ok((left == 0).then_some(()))
    })
    .await
    .unwrap();
}

pub(crate) async fn what_a_service_asks_for_and_cannot_get_is_named_in_its_status(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "asks-quiet";
    rig.namespace(namespace).await;
    let cases = [
        (
            "no-model",
            json!({"model": {"name": "nobody"}}),
            "Failed",
            "ModelReady",
            "ModelNotFound",
        ),
        (
            "no-image",
            json!({"model": {"image": "a b"}}),
            "Failed",
            "ModelReady",
            "InvalidImageReference",
        ),
        (
            "no-config",
            json!({"model": {"name": "nobody"}, "runtimeConfigName": "none"}),
            "Failed",
            "RuntimeConfigReady",
            "ReferenceNotFound",
        ),
        (
            "no-gateway",
            json!({"model": {"name": "nobody"}, "routing": {"enabled": true}}),
            "Failed",
            "HTTPRouteReady",
            "GatewayNotConfigured",
        ),
        (
            "no-template",
            json!({"model": {"name": "nobody"}, "template": {"name": "none"}}),
            "Failed",
            "TemplateReady",
            "TemplateNotFound",
        ),
        (
            "new-model",
            json!({"model": {"image": image::MISSING}}),
            "Failed",
            "ModelReady",
            "ModelNotReady",
        ),
    ];
    for (name, spec, ..) in &cases {
        create::<AimService>(
            &client,
            namespace,
            json!({"metadata": {"name": name}, "spec": spec}),
        )
        .await;
    }
    for (name, _, word, type_, reason) in cases {
        let service = until::<AimService>(&client, namespace, name, |service| {
            condition(service, type_)["reason"] == reason
        })
        .await;
        assert_eq!(service["status"]["status"], word, "{name}: {service:#}");
        assert_eq!(condition(&service, "Ready")["status"], "False", "{name}");
    }
    let none = foreign(&client, namespace, "InferenceService")
        .list(&ListParams::default())
        .await
        .unwrap();
    assert!(none.items.is_empty());
}

/// The planted fault is a right that the operator has not: a Secret, referenced or not, is not readable for it.
pub(crate) async fn a_secret_is_referenced_and_never_read(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "secrets-quiet";
    rig.namespace(namespace).await;
    const CANARY: &str = "hf_canary-0123456789";
    create::<Secret>(
        &client,
        namespace,
        json!({"metadata": {"name": "hf"}, "stringData": {"token": CANARY}}),
    )
    .await;
    let env = json!([{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}]);
    create::<AimArtifact>(
        &client,
        namespace,
        json!({"metadata": {"name": "private"}, "spec": {
            "sourceUri": "hf://org/gated", "size": "1Mi", "env": env, "modelDownloadImage": image::NAME,
        }}),
    )
    .await;
    let artifact = until::<AimArtifact>(&client, namespace, "private", |artifact| {
        condition(artifact, "CachePvcReady")["reason"] == "PvcProvisioningFailed"
    })
    .await;
    let jobs = Api::<k8s_openapi::api::batch::v1::Job>::namespaced(client.clone(), namespace);
    let job = wait_until("the download", async || {
        Ok(jobs.list(&ListParams::default()).await?.items.pop())
    })
    .await
    .unwrap();
    let job = serde_json::to_string(&job).unwrap();
    assert!(
        job.contains(r#""secretKeyRef":{"key":"token","name":"hf"}"#),
        "{job}"
    );
    let events = Api::<k8s_openapi::api::core::v1::Event>::namespaced(client.clone(), namespace);
    let events = serde_json::to_string(&events.list(&ListParams::default()).await.unwrap().items).unwrap();
    for text in [job, artifact.to_string(), events, rig.operator.log()] {
        assert!(!text.contains(CANARY));
    }
    let token = rig
        .cluster
        .service_account_token(crate::rig::SYSTEM, reeve_serving::rights::SERVICE_ACCOUNT, 600)
        .await
        .unwrap();
    let as_operator = rig.cluster.client_with_token(&token).await.unwrap();
    let refused = Api::<Secret>::namespaced(as_operator.clone(), namespace)
        .get("hf")
        .await
        .unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 403));
    let made = Api::<Secret>::namespaced(as_operator, namespace)
        .create(&PostParams::default(), &Secret::default())
        .await;
    assert!(made.is_err());
}
