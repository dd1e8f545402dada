//! What an installer applies to a cluster, in order.

use anyhow::Result;
use kube::api::{Api, DynamicObject, ListParams};
use reeve_testkit::{Cluster, apply_yaml, wait_until};
use serde_json::Value;

/// Installs the custom resources, the operator's and people's rights, the policies, and the settings with this `spec`, with
/// the rights of an installer.
///
/// # Errors
/// The API server refuses one of them, or does not serve the custom resources in time.
pub async fn install_chart(cluster: &Cluster, settings: &Value) -> Result<()> {
    let client = cluster.installer_client().await?;
    for (_, text) in reeve_crds::all_yaml()? {
        apply_yaml(&client, &text).await?;
    }
    wait_until_served(&client).await?;
    apply_yaml(&client, &reeve_tenancy::rbac_yaml()?).await?;
    apply_yaml(&client, &reeve_admission::policies_yaml()).await?;
    let settings = serde_json::json!({
        "apiVersion": "reeve.dev/v1alpha1", "kind": "ReeveConfig", "metadata": {"name": "reeve"}, "spec": settings});
    // Every JSON text is YAML too.
    apply_yaml(&client, &settings.to_string()).await.map(drop)
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
