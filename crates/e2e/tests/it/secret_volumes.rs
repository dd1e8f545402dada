//! A credential of the control plane as files in a container, on a real node.

use anyhow::{Context as _, Result};
use reeve_e2e::Stack;
use reeve_testkit::{images, wait_until};
use serde_json::{Value, json};

use crate::harness::{Team, on_the_stack, output_of};
use crate::identity::must_have_printed;

const VALUE: &str = "found-in-a-file";

/// A credential of the team's project, and a secret asset of it; the credential's path.
async fn offered(stack: &Stack, team: &Team, name: &str) -> Result<String> {
    let meta = json!({"name": name, "scope": "project", "projectId": team.project});
    let base = "/api/v1/asset/credentials/password";
    let body = json!({"meta": meta, "spec": {"user": "robot", "password": VALUE}});
    let made = stack.admin.post(base, body).await?.expect(202)?;
    let id = made["meta"]["id"].as_str().context("the credential has no id")?;
    let body = json!({"meta": meta, "spec": {"credentialAssetId": id, "mountPath": "/etc/keys", "defaultMode": "0400"}});
    stack
        .admin
        .post("/api/v1/asset/datasource/secrets", body)
        .await?
        .expect(202)?;
    Ok(format!("{base}/{id}"))
}

/// Submits as the researcher, with these mounted; the workload's path.
async fn submit(stack: &Stack, team: &Team, name: &str, volumes: Value, command: &str) -> Result<String> {
    let spec = json!({"image": images::TOOLS, "command": format!("sh -c '{command}'"), "storage": {"secretVolume": volumes}});
    let body = json!({"name": name, "projectId": team.project, "clusterId": stack.cluster_id, "spec": spec});
    let made = team
        .researcher
        .rest
        .post("/api/v1/workloads/trainings", body)
        .await?;
    let made = made.expect(202)?;
    let id = made["workloadId"].as_str().context("the workload has no id")?;
    Ok(format!("/api/v1/workloads/{id}"))
}

/// Planted faults: files that the person cannot read; a mount that can be written to.
#[test]
fn the_person_reads_a_credential_as_files_and_writes_none() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        offered(stack, &team, "token").await?;
        // By the asset alone, where nobody but the owner reads; and open, at a path of the submission's own.
        for (name, volume, file) in [
            ("closed", json!({"secret": "token"}), "/etc/keys/password"),
            (
                "open",
                json!({"secret": "token", "mountPath": "/keys", "defaultMode": "0444"}),
                "/keys/password",
            ),
        ] {
            let command = format!("cat {file}; echo; touch {file}x 2>/dev/null || echo it is only read");
            submit(stack, &team, name, json!([volume]), &command).await?;
            let output = output_of(stack, &team.namespace, &format!("reeve.dev/workload={name}")).await?;
            must_have_printed(&output, &[VALUE, "it is only read"])?;
        }
        Ok(())
    });
}

/// Planted faults: what somebody made under the credential's name is mounted in its place; of several only the first is waited for, which
/// the operator keeps in memory.
#[test]
fn a_workload_waits_for_its_credential_and_says_what_is_in_the_way() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = stack.cluster.kubectl();
        let by_hand = [
            "create",
            "secret",
            "generic",
            "taken",
            "-n",
            &team.namespace,
            "--from-literal=password=other",
        ];
        kubectl.must(&by_hand)?;
        let credential = offered(stack, &team, "taken").await?;
        offered(stack, &team, "there").await?;
        let volumes = json!([{"secret": "there", "mountPath": "/there"}, {"secret": "taken"}]);
        let path = submit(stack, &team, "waits", volumes, "cat /etc/keys/password").await?;
        wait_until("the workload to say for which Secret it waits", async || {
            let shown = team.researcher.rest.get(&path).await?.expect(200)?;
            let message = shown["phaseMessage"].as_str().unwrap_or_default().to_owned();
            let said = message.contains("the Secret `taken`") && message.contains("that is no copy");
            anyhow::ensure!(said, "{shown}");
            Ok(Some(()))
        })
        .await?;
        let jobs = kubectl.must(&["get", "jobs", "-n", &team.namespace, "-o", "name"])?;
        anyhow::ensure!(jobs.trim().is_empty(), "{jobs}");

        kubectl.must(&["delete", "secret", "taken", "-n", &team.namespace])?;
        // A change of the source is the moment at which the copy is tried again.
        let change = json!({"spec": {"user": "robot", "password": VALUE}});
        stack.admin.put(&credential, change).await?.expect(202)?;
        let output = output_of(stack, &team.namespace, "reeve.dev/workload=waits").await?;
        must_have_printed(&output, &[VALUE])
    });
}
