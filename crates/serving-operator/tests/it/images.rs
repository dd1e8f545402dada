//! A registry that wants a password, and the Secret that has it.

use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::{Api, ListParams, PostParams};
use reeve_serving_crds::{AimClusterModel, AimClusterModelSource, AimModel};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::rig::{Rig, SYSTEM, condition, create, until};
use crate::stand_ins::PASSWORD;

fn pull_secret(name: &str) -> Value {
    let config = json!({"auths": {"registry.example": {"username": "ann", "password": PASSWORD}}});
    json!({
        "metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": config.to_string()},
    })
}

/// Lets the operator read one Secret, as its status says how to.
fn let_read(rig: &Rig, namespace: &str, secret: &str) {
    let kubectl = rig.cluster.kubectl();
    let (namespace, name) = (
        format!("--namespace={namespace}"),
        format!("--resource-name={secret}"),
    );
    kubectl
        .must(&[
            "create",
            "role",
            "aim-pull-secrets",
            &namespace,
            "--verb=get",
            "--resource=secrets",
            &name,
        ])
        .unwrap();
    let account = format!(
        "--serviceaccount={SYSTEM}:{}",
        reeve_serving::rights::SERVICE_ACCOUNT
    );
    kubectl
        .must(&[
            "create",
            "rolebinding",
            "aim-pull-secrets",
            &namespace,
            "--role=aim-pull-secrets",
            &account,
        ])
        .unwrap();
}

/// Planted fault: an operator that takes the registry's 401 for the end of it never gets the labels.
pub(crate) async fn a_registry_is_asked_with_a_pull_secret_that_the_operator_was_let_read(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "images-quiet";
    rig.namespace(namespace).await;
    let model = |name: &str, secrets: Value| {
        json!({"metadata": {"name": name}, "spec": {
            "image": "registry.example/team/tiny:1.2.0", "imagePullSecrets": secrets,
        }})
    };
    create::<Secret>(&client, namespace, pull_secret("regcred")).await;
    create::<AimModel>(&client, namespace, model("known", json!([{"name": "regcred"}]))).await;
    create::<AimModel>(&client, namespace, model("stranger", json!([]))).await;
    create::<AimModel>(&client, namespace, model("forgetful", json!([{"name": "none"}]))).await;
    let because = |reason: &'static str| {
        move |model: &Value| condition(model, "ImageMetadataReady")["reason"] == reason
    };
    // Quirk 22: what a registry refuses leaves the model degraded, and says why.
    let stranger = until::<AimModel>(&client, namespace, "stranger", because("RegistryUnauthorized")).await;
    assert_eq!(stranger["status"]["status"], "Degraded", "{stranger:#}");
    let denied = until::<AimModel>(&client, namespace, "known", because("SecretAccessDenied")).await;
    let how = condition(&denied, "ImageMetadataReady")["message"]
        .as_str()
        .unwrap();
    assert!(
        how.contains("--resource-name=regcred") && how.contains(&format!("={SYSTEM}:")),
        "{how}"
    );
    let_read(rig, namespace, "regcred");
    let known = until::<AimModel>(&client, namespace, "known", because("ImageMetadataFound")).await;
    assert_eq!(
        known["status"]["imageMetadata"]["model"]["canonicalName"],
        "org/tiny"
    );
    // The right is to one name: another Secret of the namespace is as closed as before.
    until::<AimModel>(&client, namespace, "forgetful", because("SecretAccessDenied")).await;
    a_source_lists_what_its_pull_secret_opens(rig).await;

    let events = Api::<Event>::namespaced(client.clone(), namespace);
    let events = serde_json::to_string(&events.list(&ListParams::default()).await.unwrap().items).unwrap();
    let models = Api::<AimModel>::namespaced(client, namespace);
    let models = serde_json::to_string(&models.list(&ListParams::default()).await.unwrap().items).unwrap();
    for text in [events, models, rig.operator.log()] {
        assert!(!text.contains(PASSWORD));
    }
}

async fn a_source_lists_what_its_pull_secret_opens(rig: &Rig) {
    let client = rig.client.clone();
    create::<Secret>(&client, SYSTEM, pull_secret("source-cred")).await;
    let_read(rig, SYSTEM, "source-cred");
    let source: AimClusterModelSource =
        serde_json::from_value(json!({"metadata": {"name": "listed"}, "spec": {
            "registry": "registry.example", "imagePullSecrets": [{"name": "source-cred"}],
            "filters": [{"image": "team/*", "versions": [">=1.0.0"]}],
        }}))
        .unwrap();
    let sources = Api::<AimClusterModelSource>::all(client.clone());
    sources.create(&PostParams::default(), &source).await.unwrap();
    let models = Api::<AimClusterModel>::all(client);
    let label = ListParams::default().labels("aim.eai.amd.com/model-source=listed");
    let made = wait_until("the model of a listed image", async || {
        Ok(models.list(&label).await?.items.pop())
    })
    .await
    .unwrap();
    assert_eq!(made.spec.image, "registry.example/team/tiny:1.2.0");
    let said = wait_until("the source to say so", async || {
        let source = serde_json::to_value(sources.get("listed").await?)?;
        Ok(Some(source).filter(|source| source["status"]["discoveredModels"] == 1))
    })
    .await
    .unwrap();
    assert_eq!(condition(&said, "FiltersReady")["reason"], "AllFiltersSucceeded");
}
