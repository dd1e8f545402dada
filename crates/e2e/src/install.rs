//! What an installer applies to a cluster, in order.

use anyhow::Result;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, ListParams, PostParams};
use reeve_testkit::{Cluster, apply_yaml, wait_until};
use serde_json::Value;

/// Installs the custom resources, the operator's rights with the switches of these settings, people's rights, the policies, and the
/// settings with this `spec`, with the rights of an installer. Returns when the policies are in force.
///
/// # Errors
/// The API server refuses one of them, or does not serve the custom resources in time.
pub async fn install_chart(cluster: &Cluster, settings: &Value) -> Result<()> {
    let client = cluster.installer_client().await?;
    for (_, text) in reeve_crds::all_yaml()? {
        apply_yaml(&client, &text).await?;
    }
    wait_until_served(&client).await?;
    let spec: reeve_crds::ReeveConfigSpec = serde_json::from_value(settings.clone())?;
    apply_yaml(&client, &reeve_tenancy::rbac_yaml(spec.switches())?).await?;
    apply_yaml(&client, &reeve_admission::policies_yaml()).await?;
    let settings = serde_json::json!({
        "apiVersion": "reeve.dev/v1alpha1", "kind": "ReeveConfig", "metadata": {"name": "reeve"}, "spec": settings});
    // Every JSON text is YAML too.
    apply_yaml(&client, &settings.to_string()).await?;
    wait_until_enforced(&client).await
}

/// The API server reads new policies once a second: until then what they fill in is missing.
async fn wait_until_enforced(installer: &kube::Client) -> Result<()> {
    let probe: Namespace = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "reeve-probe-of-policies", "labels": {"runai/queue": "probe"}}}))?;
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    wait_until("the policies to be in force", async || {
        let made = Api::<Namespace>::all(installer.clone())
            .create(&dry_run, &probe)
            .await?;
        Ok(made
            .labels()
            .contains_key(reeve_admission::names::PROJECT)
            .then_some(()))
    })
    .await
}

async fn wait_until_served(client: &kube::Client) -> Result<()> {
    let kind = kube::core::GroupVersionKind::gvk("reeve.dev", "v1alpha1", "ReeveConfig");
    let resource = kube::core::ApiResource::from_gvk_with_plural(&kind, "reeveconfigs");
    let configs: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    wait_until("the custom resources to be served", async || {
        Ok(configs.list(&ListParams::default()).await.ok().map(drop))
    })
    .await
}
