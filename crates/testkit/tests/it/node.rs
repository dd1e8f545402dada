use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Client;
use kube::api::Api;
use reeve_testkit::{Tier, apply_yaml, cluster, images, wait_for, wait_until};

async fn ended(client: &Client, namespace: &str, name: &str) -> Result<Pod> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    wait_for(
        Duration::from_secs(60),
        &format!("pod `{name}` to end"),
        async || {
            let pod = pods.get(name).await?;
            let phase = pod
                .status
                .as_ref()
                .and_then(|status| status.phase.clone())
                .unwrap_or_default();
            Ok((phase == "Succeeded" || phase == "Failed").then_some(pod))
        },
    )
    .await
}

fn restricted_pod(namespace: &str, name: &str, image: &str, policy: &str, command: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 70012
    runAsGroup: 5000
    supplementalGroups: [5001]
    {policy}
    seccompProfile: {{type: RuntimeDefault}}
  containers:
  - name: main
    image: {image}
    command: [sh, -c, '{command}']
    securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
"#
    )
}

#[tokio::test]
async fn the_node_is_ready_and_honours_strict_supplemental_groups() -> Result<()> {
    let Some(cluster) = cluster(Tier::Node).await else {
        return Ok(());
    };
    let nodes: Api<Node> = Api::all(cluster.client().await?);
    let node = nodes.get(cluster.node_name().context("no node")?).await?;
    let status = node.status.context("no status")?;
    let ready = status
        .conditions
        .unwrap_or_default()
        .into_iter()
        .find(|condition| condition.type_ == "Ready");
    assert_eq!(ready.map(|condition| condition.status).as_deref(), Some("True"));
    let info = status.node_info.context("no node info")?;
    assert_eq!(info.kubelet_version, "v1.37.2");
    assert_eq!(info.container_runtime_version, "containerd://2.4.2");
    assert_eq!(
        status
            .features
            .and_then(|features| features.supplemental_groups_policy),
        Some(true)
    );
    for image in [images::TOOLS, images::GROUPS, images::PAUSE] {
        assert!(
            cluster.images().iter().any(|known| known == image),
            "{:?}",
            cluster.images()
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_restricted_pod_runs_as_the_ids_it_names() -> Result<()> {
    let Some(cluster) = cluster(Tier::Node).await else {
        return Ok(());
    };
    let client = cluster.client().await?;
    let labels = [("pod-security.kubernetes.io/enforce", "restricted")];
    let namespace = cluster.namespace_with("restricted", &labels).await?;
    let command = "id; grep NoNewPrivs /proc/self/status";
    apply_yaml(
        &client,
        &restricted_pod(&namespace, "who", images::TOOLS, "", command),
    )
    .await?;
    ended(&client, &namespace, "who").await?;
    let log = cluster.pod_logs(&namespace, "who").await?;
    assert_eq!(log, "uid=70012 gid=5000 groups=5000,5001\nNoNewPrivs:\t1\n");
    let refused = restricted_pod(&namespace, "root", images::TOOLS, "", "id").replace("70012", "0");
    assert!(
        apply_yaml(&client, &refused).await.is_err(),
        "Pod Security lets nobody be root here"
    );
    Ok(())
}

#[tokio::test]
async fn the_image_adds_groups_only_where_the_policy_is_not_strict() -> Result<()> {
    let Some(cluster) = cluster(Tier::Node).await else {
        return Ok(());
    };
    let client = cluster.client().await?;
    let namespace = cluster.namespace("groups").await?;
    let text = [("merge", "Merge"), ("strict", "Strict")].map(|(name, policy)| {
        let policy = format!("supplementalGroupsPolicy: {policy}");
        restricted_pod(&namespace, name, images::GROUPS, &policy, "id -G")
    });
    apply_yaml(&client, &text.join("---\n")).await?;
    for (name, expected) in [("merge", "5000 5001 7777\n"), ("strict", "5000 5001\n")] {
        ended(&client, &namespace, name).await?;
        assert_eq!(cluster.pod_logs(&namespace, name).await?, expected, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_running_pod_answers_exec() -> Result<()> {
    let Some(cluster) = cluster(Tier::Node).await else {
        return Ok(());
    };
    let client = cluster.client().await?;
    let namespace = cluster.namespace("exec").await?;
    apply_yaml(
        &client,
        &restricted_pod(&namespace, "sleeper", images::TOOLS, "", "sleep 1000"),
    )
    .await?;
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    wait_until("the pod to run", async || {
        let phase = pods.get("sleeper").await?.status.and_then(|status| status.phase);
        Ok((phase.as_deref() == Some("Running")).then_some(()))
    })
    .await?;
    let said = cluster
        .kubectl()
        .must(&["-n", &namespace, "exec", "sleeper", "--", "id", "-u"])?;
    assert_eq!(said, "70012\n");
    cluster
        .kubectl()
        .must(&["delete", "namespace", &namespace, "--timeout=60s"])?;
    Ok(())
}
