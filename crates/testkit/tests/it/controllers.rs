use anyhow::Result;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ResourceQuota};
use kube::api::{Api, DeleteParams};
use reeve_testkit::{Tier, apply_yaml, cluster, wait_until};

#[tokio::test]
async fn a_quota_is_counted_and_enforced() -> Result<()> {
    let Some(cluster) = cluster(Tier::Controllers).await else {
        return Ok(());
    };
    let client = cluster.client().await?;
    let namespace = cluster.namespace("quota").await?;
    let quota = format!(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: none, namespace: {namespace}}}\nspec: {{hard: {{pods: '0'}}}}\n"
    );
    apply_yaml(&client, &quota).await?;
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), &namespace);
    wait_until("the quota to be counted", async || {
        Ok(quotas
            .get("none")
            .await?
            .status
            .and_then(|status| status.hard)
            .map(|_| ()))
    })
    .await?;
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: one, namespace: {namespace}}}\nspec: {{containers: [{{name: main, image: none}}]}}\n"
    );
    let error = apply_yaml(&client, &pod)
        .await
        .expect_err("there is room for no pod");
    assert!(format!("{error:#}").contains("exceeded quota: none"), "{error:#}");
    Ok(())
}

#[tokio::test]
async fn a_pod_is_bound_to_a_made_up_node_and_a_deleted_namespace_goes() -> Result<()> {
    let Some(cluster) = cluster(Tier::Controllers).await else {
        return Ok(());
    };
    assert_eq!(cluster.real_node(), Err("not asked for"));
    let client = cluster.client().await?;
    let namespace = cluster.namespace("bound").await?;
    let node = format!("node-of-{namespace}");
    let text = format!(
        r#"
apiVersion: v1
kind: Node
metadata: {{name: {node}, labels: {{for: {namespace}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: one, namespace: {namespace}}}
spec:
  nodeSelector: {{for: {namespace}}}
  tolerations: [{{operator: Exists}}]
  containers: [{{name: main, image: none}}]
"#
    );
    apply_yaml(&client, &text).await?;
    cluster.kubectl().must(&[
        "patch", "node", &node, "--subresource=status", "--type=merge", "-p",
        r#"{"status": {"capacity": {"cpu": "1", "pods": "10"}, "allocatable": {"cpu": "1", "pods": "10"}, "conditions": [{"type": "Ready", "status": "True", "reason": "MadeUp", "message": "no kubelet"}]}}"#,
    ])?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    wait_until("the scheduler to choose the node", async || {
        let chosen = pods.get("one").await?.spec.and_then(|spec| spec.node_name);
        Ok((chosen.as_deref() == Some(&node)).then_some(()))
    })
    .await?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    wait_until("the authority's ConfigMap", async || {
        Ok(maps.get_opt("kube-root-ca.crt").await?)
    })
    .await?;
    // Nobody but us could say that the pod on the made-up node has ended.
    pods.delete("one", &DeleteParams::default().grace_period(0))
        .await?;
    let namespaces: Api<Namespace> = Api::all(client);
    namespaces.delete(&namespace, &DeleteParams::default()).await?;
    wait_until("the namespace to go", async || {
        Ok(namespaces.get_opt(&namespace).await?.is_none().then_some(()))
    })
    .await
}
