//! Every pod we build is admitted where Pod Security `restricted` is enforced, on a real API server. The planted fault: the same
//! pod without its contexts is refused there.

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, PostParams};
use reeve_serving::artifact::Artifact;
use reeve_serving::discovery::Discovery;
use reeve_serving::labels::Controller;
use reeve_testkit::{Options, Tier, own_cluster};
use serde_json::{Value, json};

use crate::inference::plain;
use crate::things::{of, parent};

/// The specs of all pods, by what they are for.
fn pods() -> Vec<(&'static str, Value)> {
    let owner = parent("AIMArtifact", "a", Controller::Artifact);
    let spec = of(json!({"sourceUri": "hf://a/b"}));
    let config = of(json!({}));
    let artifact = Artifact {
        parent: &owner,
        namespace: "restricted",
        spec: &spec,
        config: &config,
        service_account: None,
        download_image: None,
    };
    let template = of(json!({"modelName": "m"}));
    let model = of(json!({"image": "i:1"}));
    let discovery = Discovery {
        template: &template,
        model: &model,
        in_namespace: true,
    };
    let of_job = |job: k8s_openapi::api::batch::v1::Job| {
        serde_json::to_value(job.spec.unwrap().template.spec.unwrap()).unwrap()
    };
    let mut predictor = plain().made()["spec"]["predictor"].clone();
    // KServe takes these for itself and hands the rest on as the pod.
    for key in ["minReplicas", "maxReplicas"] {
        predictor.as_object_mut().unwrap().remove(key);
    }
    vec![
        (
            "discovery",
            of_job(discovery.job(
                &parent("AIMServiceTemplate", "t", Controller::ServiceTemplate),
                "restricted",
            )),
        ),
        ("check-size", of_job(artifact.check_size_job())),
        ("download", of_job(artifact.download_job(1))),
        ("inference", predictor),
    ]
}

fn without_contexts(spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec.as_object_mut().unwrap().remove("securityContext");
    spec["containers"][0]
        .as_object_mut()
        .unwrap()
        .remove("securityContext");
    spec
}

#[tokio::test]
async fn every_pod_we_build_passes_pod_security_restricted() {
    let options = Options {
        tier: Tier::ApiServer,
        ..Options::default()
    };
    let Some(cluster) = own_cluster(options).await else {
        return;
    };
    let client = cluster.client().await.unwrap();
    let namespace: Namespace = of(
        json!({"metadata": {"name": "restricted", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
    );
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    reeve_testkit::apply_yaml(&client, &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "restricted"}}).to_string())
        .await
        .unwrap();
    let api: Api<Pod> = Api::namespaced(client, "restricted");
    for (name, spec) in pods() {
        let make = |spec: &Value| of::<Pod>(json!({"metadata": {"name": name}, "spec": spec}));
        let refused = api
            .create(&PostParams::default(), &make(&without_contexts(&spec)))
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("violates PodSecurity"),
            "{name}: {refused}"
        );
        if let Err(refused) = api.create(&PostParams::default(), &make(&spec)).await {
            panic!("{name}: {refused}");
        }
    }
}
