//! Models and templates of the cluster, and a source of models.

use kube::api::{Api, ListParams, PostParams};
use reeve_serving_crds::{AimClusterModel, AimClusterModelSource, AimClusterServiceTemplate, AimService};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::image;
use crate::rig::{Rig, condition, create, until};

pub(crate) async fn models_and_templates_of_the_cluster_serve_every_namespace(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "of-cluster-quiet";
    rig.namespace(namespace).await;
    let model: AimClusterModel = serde_json::from_value(json!({"metadata": {"name": "shared"}, "spec": {
        "image": image::OF_CLUSTER,
        "imageMetadata": {"model": {"canonicalName": "org/tiny", "recommendedDeployments": [{"metric": "latency"}]}},
    }}))
    .unwrap();
    let models = Api::<AimClusterModel>::all(client.clone());
    models.create(&PostParams::default(), &model).await.unwrap();
    let source: AimClusterModelSource = serde_json::from_value(json!({"metadata": {"name": "named"}, "spec": {
        "registry": "local.test", "filters": [{"image": "local.test/other:1.0.0"}, {"image": "local.test/team/*"}],
    }}))
    .unwrap();
    let sources = Api::<AimClusterModelSource>::all(client.clone());
    sources.create(&PostParams::default(), &source).await.unwrap();

    // Discovery of the cluster's templates runs in the operator's namespace.
    let templates = Api::<AimClusterServiceTemplate>::all(client.clone());
    let template = wait_until("the template to be discovered", async || {
        let list = templates.list(&ListParams::default()).await?;
        let ready =
            |t: &AimClusterServiceTemplate| t.status.as_ref().is_some_and(|s| !s.model_sources.is_empty());
        Ok(list.items.into_iter().find(ready))
    })
    .await
    .unwrap();
    let job = template.status.unwrap().discovery_job.unwrap();
    assert_eq!(job.namespace.as_deref(), Some(crate::rig::SYSTEM));
    create::<AimService>(
        &client,
        namespace,
        json!({"metadata": {"name": "chat"}, "spec": {"model": {"name": "shared"}}}),
    )
    .await;
    let service = until::<AimService>(&client, namespace, "chat", |service| {
        service["status"]["resolvedTemplate"]["scope"] == "Cluster"
    })
    .await;
    assert_eq!(service["status"]["resolvedModel"]["scope"], "Cluster");
    a_source_says_what_it_found(&sources, &models).await;
}

async fn a_source_says_what_it_found(sources: &Api<AimClusterModelSource>, models: &Api<AimClusterModel>) {
    let source: Value = wait_until("the source", async || {
        let source = serde_json::to_value(sources.get("named").await?)?;
        Ok((source["status"]["discoveredModels"] == 1).then_some(source))
    })
    .await
    .unwrap();
    assert_eq!(
        condition(&source, "FiltersReady")["reason"],
        "SomeFiltersFailed",
        "{source:#}"
    );
    let label = ListParams::default().labels("aim.eai.amd.com/model-source=named");
    let made = wait_until("its model", async || Ok(models.list(&label).await?.items.pop()))
        .await
        .unwrap();
    assert_eq!(made.spec.image, "local.test/other:1.0.0");
}
