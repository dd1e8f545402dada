//! What keeps a model's files away, told apart on a real cluster: the operator's Jobs with the real downloader, from a server shaped like
//! Hugging Face and one shaped like S3, up to artifact, cache and service, in the container's own words.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reeve_e2e::blocking;
use reeve_e2e::model_serving::{IMAGE, ModelServing};
use reeve_testkit::{Cluster, Kubectl, wait_for};
use serde_json::{Value, json};

const NAMESPACE: &str = "broken";
/// Of pods that fail three times.
const SETTLE: Duration = Duration::from_secs(180);

/// Of each source: the reason, and words of the container.
const CASES: [(&str, &str, &str); 8] = [
    (
        "hf://reeve/denied",
        "AuthError",
        "Cannot access gated repo reeve/denied",
    ),
    (
        "hf://reeve/none",
        "SourceNotFound",
        "Repository Not Found: reeve/none",
    ),
    (
        "hf://reeve/corrupt",
        "DownloadCorrupt",
        "checksum mismatch of weights.bin",
    ),
    (
        "hf://reeve/stalled",
        "DownloadStalled",
        "download stalled: no progress for 2 s",
    ),
    (
        "s3://denied",
        "AuthError",
        "s3 403 access denied by s3 (AccessDenied)",
    ),
    ("s3://none", "SourceNotFound", "s3 404 NoSuchBucket"),
    (
        "s3://corrupt",
        "DownloadCorrupt",
        "checksum mismatch of weights.bin",
    ),
    (
        "s3://stalled",
        "DownloadStalled",
        "download stalled: no progress for 2 s",
    ),
];

/// Planted faults that turn it red: one reason for all failures of a download; a cache, or a service, that says only that it is not ready.
pub(super) async fn are_told_apart(serving: &ModelServing, cluster: &Cluster, folder: &Path) -> Result<()> {
    let kubectl = cluster.kubectl();
    serving.namespace(cluster, folder, NAMESPACE)?;
    serving.volume(cluster, folder, "broken-2")?;
    let env = json!([
        {"name": "AWS_ENDPOINT_URL", "value": serving.buckets()}, {"name": "AWS_ACCESS_KEY_ID", "value": "key"},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "secret"}, {"name": "AWS_REGION", "value": "eu-1"},
        {"name": "STALL_TIMEOUT", "value": "2"},
    ]);
    for (source, ..) in CASES {
        make_volume(&kubectl, &folder.join(class(source)), &class(source))?;
        let artifact = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMArtifact", "metadata": {"name": class(source)},
            "spec": {"sourceUri": source, "size": "1Mi", "storageClassName": class(source), "env": env}});
        create(&kubectl, &artifact)?;
    }
    let served = [CASES[0], CASES[4]];
    for (source, ..) in served {
        let name = class(source);
        let model = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMModel", "metadata": {"name": name}, "spec": {
            "image": IMAGE, "custom": {"hardware": {"cpu": {"requests": "1"}}, "type": "optimized"},
            "modelSources": [{"modelId": "reeve/served", "sourceUri": source, "size": "1Mi", "env": env}]}});
        create(&kubectl, &model)?;
        let service = json!({"apiVersion": "aim.eai.amd.com/v1alpha1", "kind": "AIMService", "metadata": {"name": name},
            "spec": {"model": {"name": name}}});
        create(&kubectl, &service)?;
    }
    for (source, reason, words) in CASES {
        says(
            &kubectl,
            "aimartifact",
            &class(source),
            "DownloadJobPodsReady",
            reason,
            words,
        )
        .await?;
        says(&kubectl, "aimartifact", &class(source), "Ready", "", words).await?;
    }
    for (source, _, words) in served {
        says(&kubectl, "aimservice", &class(source), "CacheReady", "", words).await?;
        let caches: Value = serde_json::from_str(&kubectl.must(&[
            "-n",
            NAMESPACE,
            "get",
            "aimtemplatecaches",
            "-o",
            "json",
        ])?)?;
        let mut told = caches["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|cache| cache["status"].to_string());
        ensure!(told.any(|status| status.contains(words)), "{caches:#}");
    }
    Ok(())
}

/// A name for a source: of its artifact, its volume and the class of that.
fn class(source: &str) -> String {
    source.replace("://", "-").replace('/', "-")
}

fn create(kubectl: &Kubectl, object: &Value) -> Result<()> {
    let words = ["-n", NAMESPACE, "create", "-f", "-"];
    blocking(|| kubectl.must_with_input(&words, &object.to_string())).map(drop)
}

fn make_volume(kubectl: &Kubectl, files: &Path, class: &str) -> Result<()> {
    let files = std::path::absolute(files)?;
    std::fs::create_dir_all(&files)?;
    std::fs::set_permissions(&files, std::fs::Permissions::from_mode(0o777))?;
    create(
        kubectl,
        &json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": class}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": class,
            "hostPath": {"path": files}, "persistentVolumeReclaimPolicy": "Retain"}}),
    )
}

/// Waits until the condition is false for this reason, if one is wanted, in words that contain these.
async fn says(
    kubectl: &Kubectl,
    kind: &str,
    name: &str,
    type_: &str,
    reason: &str,
    words: &str,
) -> Result<()> {
    wait_for(SETTLE, &format!("{kind}/{name} to say `{words}`"), async || {
        let printed = blocking(|| kubectl.must(&["-n", NAMESPACE, "get", kind, name, "-o", "json"]))?;
        let object: Value = serde_json::from_str(&printed)?;
        let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        let found = conditions.find(|condition| condition["type"] == type_);
        let found = found.with_context(|| object["status"].to_string())?;
        let message = found["message"].as_str().unwrap_or_default();
        let as_wanted = reason.is_empty() || found["reason"] == reason;
        ensure!(
            found["status"] == "False" && as_wanted && message.contains(words),
            "{found}"
        );
        Ok(Some(()))
    })
    .await
}
