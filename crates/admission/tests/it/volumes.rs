//! The manifests of the page `docs/security/volumes.md`, as they stand there: applied, and admitted.

use anyhow::{Context, Result};
use reeve_testkit::wait_until;
use serde_json::{Value, json};

use crate::fixture::{self, send};
use crate::test_cluster::{TestCluster, create_request, namespace};

const PAGE: &str = include_str!("../../../../docs/security/volumes.md");

/// The indented blocks of a page that are whole manifests, without what they are indented by.
fn manifests(page: &str) -> Result<Vec<Value>> {
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        let code = line.strip_prefix("    ");
        match code {
            Some(text) if inside => {
                let block = blocks.last_mut().context("a block")?;
                block.push_str(text);
                block.push('\n');
            }
            Some(text) => {
                blocks.push(format!("{text}\n"));
                inside = true;
            }
            None if line.trim().is_empty() && inside => {}
            None => inside = false,
        }
    }
    blocks
        .iter()
        .filter(|block| block.trim_start().starts_with("apiVersion:"))
        .map(|block| serde_saphyr::from_str(&unindented(block)).with_context(|| block.clone()))
        .collect()
}

/// Without what every line of it begins with: blocks of lists are indented further.
fn unindented(block: &str) -> String {
    let spaces = |line: &str| line.len() - line.trim_start().len();
    let least = block
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(spaces)
        .min()
        .unwrap_or_default();
    let cut = |line: &str| line.get(least..).unwrap_or_default().to_owned();
    block.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_manifest_of_the_page_is_found() {
    let kinds: Vec<String> = manifests(PAGE)
        .unwrap()
        .iter()
        .map(|object| object["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["StorageClass", "Job", "StatefulSet"]);
}

/// Planted fault: the same StatefulSet with names that do not end with her uid is refused, and so is a Job whose ephemeral volume
/// is a claim that is there already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifests_of_the_page_of_volumes_are_admitted() -> Result<()> {
    let Some(cluster) = fixture::api_server().await else {
        return Ok(());
    };
    let level = "restricted";
    let stage = TestCluster::set(&cluster, &[], &[level]).await?;
    let ask = async |object: &Value| {
        let kind = object["kind"].as_str().context("a kind")?;
        let request = create_request("alice", "strict", object.clone());
        let answer = send(&stage.client, &namespace(level, "strict"), &request, true).await;
        answer.with_context(|| kind.to_owned())
    };
    for object in manifests(PAGE)?
        .iter()
        .filter(|object| object["kind"] != "StorageClass")
    {
        // The policies are in force some time after they were written.
        wait_until("the manifest to be admitted, and its fault refused", async || {
            let refused = ask(&with_fault(object)?).await?;
            let said = refused.message().contains("docs/security/volumes.md");
            anyhow::ensure!(
                !refused.admitted() && said,
                "{} {}",
                refused.code,
                refused.message()
            );
            let answer = ask(object).await?;
            anyhow::ensure!(
                answer.admitted(),
                "{}: {} {}",
                object["kind"],
                answer.code,
                answer.message()
            );
            Ok(Some(()))
        })
        .await?;
    }
    Ok(())
}

/// The same with a claim that may be there already.
fn with_fault(object: &Value) -> Result<Value> {
    if object["kind"] == "StatefulSet" {
        return Ok(serde_json::from_str(
            &object.to_string().replace("data-u70012", "data"),
        )?);
    }
    let mut other = object.clone();
    other["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "scratch", "persistentVolumeClaim": {"claimName": "shared"}}]);
    Ok(other)
}
