//! Objects of Kubernetes as people send them, and what is said to them.

use anyhow::{Context, Result};
use kube::Client;
use kube::api::DynamicObject;
use reeve_e2e::Stack;
use reeve_testkit::Kubectl;
use serde_json::{Value, json};

/// Creates an object from JSON in a namespace and answers what the API server made of it, or its refusal.
pub(crate) async fn create(client: &Client, namespace: &str, object: Value) -> kube::Result<Value> {
    let (resource, name) = resource_of(&object);
    let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(client.clone(), namespace, &resource);
    let mut object: DynamicObject = serde_json::from_value(object).expect("an object");
    object.metadata.name = Some(name);
    let made = api.create(&kube::api::PostParams::default(), &object).await?;
    Ok(serde_json::to_value(made).expect("an object"))
}

/// Patches an object as `kubectl patch` does: lists are merged by name.
pub(crate) async fn patch(
    client: &Client,
    namespace: &str,
    kind: &str,
    name: &str,
    change: Value,
) -> kube::Result<Value> {
    let (resource, _) = resource_of(&json!({"kind": kind, "metadata": {"name": name}}));
    let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(client.clone(), namespace, &resource);
    let made = api
        .patch(
            name,
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Strategic(change),
        )
        .await?;
    Ok(serde_json::to_value(made).expect("an object"))
}

/// Merges a change into an object of the cluster by kubectl.
pub(crate) fn merge(kubectl: &Kubectl, resource: &str, name: &str, change: &str) -> Result<()> {
    kubectl
        .must(&["patch", resource, name, "--type=merge", "-p", change])
        .map(drop)
}

/// Merges a change into the settings of the cluster.
pub(crate) fn change_settings(kubectl: &Kubectl, change: &str) -> Result<()> {
    merge(kubectl, "reeveconfigs.reeve.dev", "reeve", change)
}

/// Deletes an object, or answers the refusal.
pub(crate) async fn delete(client: &Client, namespace: &str, kind: &str, name: &str) -> kube::Result<()> {
    let (resource, _) = resource_of(&json!({"kind": kind, "metadata": {"name": name}}));
    let api: kube::Api<DynamicObject> = kube::Api::namespaced_with(client.clone(), namespace, &resource);
    api.delete(name, &kube::api::DeleteParams::default())
        .await
        .map(drop)
}

fn resource_of(object: &Value) -> (kube::core::ApiResource, String) {
    let kind = object["kind"].as_str().expect("a kind");
    let (group, version, plural) = match kind {
        "Pod" => ("", "v1", "pods"),
        "Job" => ("batch", "v1", "jobs"),
        "Deployment" => ("apps", "v1", "deployments"),
        "Secret" => ("", "v1", "secrets"),
        "Service" => ("", "v1", "services"),
        "PersistentVolumeClaim" => ("", "v1", "persistentvolumeclaims"),
        "Ingress" => ("networking.k8s.io", "v1", "ingresses"),
        "NetworkPolicy" => ("networking.k8s.io", "v1", "networkpolicies"),
        "ControllerRevision" => ("apps", "v1", "controllerrevisions"),
        "RoleBinding" => ("rbac.authorization.k8s.io", "v1", "rolebindings"),
        "ServiceAccount" => ("", "v1", "serviceaccounts"),
        "Workload" => ("reeve.dev", "v1alpha1", "workloads"),
        other => panic!("no resource is known for {other}"),
    };
    let gvk = kube::core::GroupVersionKind::gvk(group, version, kind);
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    (kube::core::ApiResource::from_gvk_with_plural(&gvk, plural), name)
}

/// The code and message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: kube::Result<T>) -> Result<(u16, String)> {
    match outcome {
        Err(kube::Error::Api(status)) => Ok((status.code, status.message)),
        Err(other) => Err(other).context("a refusal was expected, not a failure"),
        Ok(made) => anyhow::bail!("a refusal was expected, but it was admitted: {made:?}"),
    }
}

/// Fails unless the outcome is a 403 whose message holds all of `words`.
pub(crate) fn must_be_refused<T: std::fmt::Debug>(outcome: kube::Result<T>, words: &[&str]) -> Result<()> {
    let (code, message) = refusal(outcome)?;
    anyhow::ensure!(code == 403, "code {code}: {message}");
    for word in words {
        anyhow::ensure!(message.contains(word), "`{word}` is missing in: {message}");
    }
    Ok(())
}

/// A Job that says only image and command.
pub(crate) fn bare_job(name: &str, command: &[&str]) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {
        "spec": {"restartPolicy": "Never", "containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS, "command": command}]}}}})
}

/// A Deployment that sleeps.
pub(crate) fn deployment(name: &str, replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "main", "image": reeve_testkit::images::TOOLS, "command": ["sleep", "3600"]}]}}}})
}

/// What the one pod of a selector printed once it was over.
pub(crate) async fn output_of(stack: &Stack, namespace: &str, selector: &str) -> Result<String> {
    use k8s_openapi::api::core::v1::Pod;
    let client = stack.cluster.client().await?;
    let pods: kube::Api<Pod> = kube::Api::namespaced(client, namespace);
    let list = kube::api::ListParams::default().labels(selector);
    let name = reeve_testkit::wait_until("a container to run to its end", async || {
        let pod = pods.list(&list).await?.items.into_iter().next();
        let phase = |p: &Pod| {
            p.status
                .as_ref()
                .and_then(|s| s.phase.clone())
                .unwrap_or_default()
        };
        match pod {
            Some(pod) if phase(&pod) == "Succeeded" || phase(&pod) == "Failed" => Ok(pod.metadata.name),
            Some(pod) => anyhow::bail!("{}: {:?}", phase(&pod), pod.status.and_then(|s| s.message)),
            None => anyhow::bail!("no pod yet"),
        }
    })
    .await?;
    stack.cluster.pod_logs(namespace, &name).await
}
