//! Two services that ask for the same overrides of a template.

use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams};
use reeve_serving_crds::{AimModel, AimService, AimServiceTemplate};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::image;
use crate::rig::{Rig, condition, create, until};

/// The derived template of the namespace, once it is owned by so many services.
async fn derived(templates: &Api<AimServiceTemplate>, owners: usize) -> AimServiceTemplate {
    let label = ListParams::default().labels("aim.eai.amd.com/origin=derived");
    let what = format!("a derived template with {owners} owners");
    let found = wait_until(&what, async || {
        let mut list = templates.list(&label).await?.items;
        assert!(list.len() <= 1, "the name says base and overrides alone");
        let found = list
            .pop()
            .filter(|template| template.owner_references().len() == owners);
        Ok(found)
    });
    found.await.unwrap()
}

/// Planted fault: services that put themselves in each other's place write without end, and the template goes with the one that came
/// last.
pub(crate) async fn services_with_the_same_overrides_share_a_template_until_the_last_of_them_goes(rig: &Rig) {
    let client = rig.client.clone();
    let namespace = "shares-quiet";
    rig.namespace(namespace).await;
    let model = json!({"metadata": {"name": "tiny"}, "spec": {"image": image::NAME, "imageMetadata": {}}});
    create::<AimModel>(&client, namespace, model).await;
    let files = json!([{"modelId": "org/tiny", "sourceUri": "hf://org/tiny", "size": "1Mi"}]);
    let base = json!({"metadata": {"name": "base"}, "spec": {"modelName": "tiny", "modelSources": files}});
    create::<AimServiceTemplate>(&client, namespace, base).await;
    let spec =
        json!({"model": {"name": "tiny"}, "template": {"name": "base"}, "overrides": {"metric": "latency"}});
    for name in ["first", "second"] {
        create::<AimService>(
            &client,
            namespace,
            json!({"metadata": {"name": name}, "spec": spec}),
        )
        .await;
    }
    let resolved = |service: &Value| condition(service, "TemplateReady")["reason"] == "Resolved";
    for name in ["first", "second"] {
        until::<AimService>(&client, namespace, name, resolved).await;
    }
    let templates = Api::<AimServiceTemplate>::namespaced(client.clone(), namespace);
    let shared = derived(&templates, 2).await;
    // Neither takes it from the other: what is still to be said of it is said, and then nobody writes it.
    let written = async || {
        let mark = rig.cluster.audit_mark();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let writes = rig.requests(mark).into_iter().filter(|event| {
            event.resource == "aimservicetemplates"
                && event.namespace == namespace
                && event.name == shared.name_any()
                && !["get", "list", "watch"].contains(&event.verb.as_str())
        });
        writes.collect::<Vec<_>>()
    };
    let quiet = async || {
        let writes = written().await;
        anyhow::ensure!(writes.is_empty(), "{writes:?}");
        Ok(Some(()))
    };
    wait_until("nobody to write the derived template", quiet)
        .await
        .unwrap();

    let services = Api::<AimService>::namespaced(client.clone(), namespace);
    let first = shared.owner_references()[0].name.clone();
    services.delete(&first, &DeleteParams::default()).await.unwrap();
    let left = derived(&templates, 1).await;
    assert_eq!(left.uid(), shared.uid(), "it is the same, and not made again");
    assert_ne!(left.owner_references()[0].name, first);
    let second = left.owner_references()[0].name.clone();
    let service = until::<AimService>(&client, namespace, &second, resolved).await;
    assert_eq!(service["status"]["resolvedTemplate"]["uid"], json!(shared.uid()));
    services.delete(&second, &DeleteParams::default()).await.unwrap();
    wait_until("the derived template to go", async || {
        Ok(templates
            .get_opt(&shared.name_any())
            .await?
            .is_none()
            .then_some(()))
    })
    .await
    .unwrap();
}
