//! What reaches beyond one person (R24): Ingresses take names of the whole cluster, NetworkPolicies cut off everybody's pods.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, Patch, PatchParams};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use super::placement::allow;
use super::{Attacker, attackers};
use crate::harness::{Team, create, delete, on_the_stack, patch};

const LABEL: &str = "reeve.dev/allow-networking";

/// One of each kind.
fn objects(name: &str) -> [Value; 2] {
    let version = "networking.k8s.io/v1";
    [
        json!({"apiVersion": version, "kind": "Ingress", "metadata": {"name": name}, "spec": {"rules": [
            {"host": "other-project.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "front", "port": {"number": 80}}}}]}}]}}),
        json!({"apiVersion": version, "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": {
            "podSelector": {}, "policyTypes": ["Ingress"]}}),
    ]
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

/// Makes one of each kind, changes and deletes it.
async fn live(attacker: &Attacker, namespace: &str, name: &str) -> Result<()> {
    let change = json!({"metadata": {"labels": {"a": "b"}}});
    for object in objects(name) {
        let kind = kind(&object);
        let about = || format!("{}: {kind}", attacker.who);
        let client = &attacker.client;
        create(client, namespace, object.clone())
            .await
            .with_context(about)?;
        patch(client, namespace, kind, name, change.clone())
            .await
            .with_context(about)?;
        delete(client, namespace, kind, name).await.with_context(about)?;
    }
    Ok(())
}

/// A ServiceAccount of the project is no administrator: any researcher may run a pod under it, and so have its token. Planted
/// faults: the check `networking` replaced by `true`; one that lets every name pass that begins with `system:`.
#[test]
fn r24_nobody_of_a_project_writes_an_ingress_or_a_network_policy_that_its_namespace_does_not_allow() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let namespace = &team.namespace;
        // RBAC alone decides of those who look after the cluster.
        let (of_the_cluster, of_the_project): (Vec<_>, Vec<_>) = attackers(stack, &team)
            .await?
            .into_iter()
            .partition(|attacker| ["the cluster administrator", "an installer"].contains(&attacker.who));
        for administrator in &of_the_cluster {
            live(administrator, namespace, "theirs").await?;
        }
        let installer = stack.cluster.installer_client().await?;
        for object in objects("made-by-the-installers") {
            create(&installer, namespace, object).await?;
        }
        let nobody_of_the_project_may = async || {
            for attacker in &of_the_project {
                let client = &attacker.client;
                for object in objects("grab") {
                    let refused = create(client, namespace, object.clone()).await;
                    attacker.must_break(refused, &["R24"], false)?;
                    let (kind, name) = (kind(&object), "made-by-the-installers");
                    let change = json!({"metadata": {"labels": {"a": "b"}}});
                    let refused = patch(client, namespace, kind, name, change).await;
                    attacker.must_break(refused, &["R24"], false)?;
                    let refused = delete(client, namespace, kind, name).await;
                    attacker.must_break(refused, &["R24"], false)?;
                }
            }
            anyhow::Ok(())
        };
        nobody_of_the_project_may().await?;
        // Where the installers allow it, it is theirs to do; and no longer than that.
        allow(stack, &team, LABEL, async || {
            live(&of_the_project[0], namespace, "ours").await
        })
        .await?;
        for attacker in &of_the_project {
            live(attacker, namespace, "ours").await?;
        }
        let labels = Patch::Merge(json!({"metadata": {"labels": {LABEL: null}}}));
        Api::<Namespace>::all(installer)
            .patch(namespace, &PatchParams::default(), &labels)
            .await?;
        let attacker = &of_the_project[0];
        wait_until("the label to count no more", async || {
            let [ingress, _] = objects("grab-too-late");
            let refused = create(&attacker.client, namespace, ingress).await;
            attacker.must_break(refused, &["R24"], false).map(Some)
        })
        .await?;
        nobody_of_the_project_may().await
    });
}
