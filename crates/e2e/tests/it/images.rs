//! What images that were made for root, for one uid, for a name or for any uid do on a real node: where identity is enforced, and
//! where it is not.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use reeve_e2e::Stack;
use reeve_testkit::{Tier, images, wait_for, wait_until};
use serde_json::json;
use std::time::Duration;

use crate::harness::{Team, create, on_a_stack_of_its_own, output_of};
use crate::identity::her_id;

/// What becomes of a pod.
enum Verdict {
    /// Its `id` says this.
    Is(&'static str),
    /// It runs as the person of the project.
    IsHer,
    /// The container is never started; what is said of it holds this.
    Never(&'static str),
}

/// Each image where identity is enforced, and where it is not.
const MATRIX: [(&str, Verdict, Verdict); 5] = [
    (
        images::TOOLS,
        Verdict::IsHer,
        Verdict::Never("runAsNonRoot and image will run as root"),
    ),
    (
        images::NAMED,
        Verdict::IsHer,
        Verdict::Never("image has non-numeric user"),
    ),
    (
        images::FIXED,
        Verdict::IsHer,
        Verdict::Is("uid=1000(modeler) gid=1000(modeler) groups=1000(modeler)"),
    ),
    (
        images::RANDOM,
        Verdict::IsHer,
        Verdict::Is("uid=1000660007 gid=0(root) groups=0(root)"),
    ),
    (
        images::ROOT_ONLY,
        Verdict::Never("permission denied"),
        Verdict::Never("runAsNonRoot and image will run as root"),
    ),
];

/// Planted fault: with `runAsNonRoot` left out of what is filled in, the first image prints `uid=0(root)` where identity is not
/// enforced.
#[test]
fn every_image_runs_as_the_person_or_as_nobody_and_never_as_root() {
    on_a_stack_of_its_own("images", Tier::Node, async |stack| {
        let team = Team::form(&stack).await?;
        for (number, (image, enforced, _)) in MATRIX.iter().enumerate() {
            must_end_as(&stack, &team, &format!("on-{number}"), image, enforced).await?;
        }
        a_submission_says_what_to_change(&stack, &team, images::ROOT_ONLY, "chmod -R a+rX").await?;
        let installer = stack.kubectl(stack.cluster.installer_kubeconfig());
        let change = r#"{"spec":{"enforceRunAsUser":false}}"#;
        installer.must(&[
            "patch",
            "reeveconfigs.reeve.dev",
            "reeve",
            "--type=merge",
            "-p",
            change,
        ])?;
        wait_until("the namespace to carry the setting", async || {
            let path = r"jsonpath={.metadata.labels.reeve\.dev/enforce-run-as-user}";
            let label = installer.must(&["get", "namespace", &team.namespace, "-o", path])?;
            Ok((label.trim() == "false").then_some(()))
        })
        .await?;
        for (number, (image, _, lenient)) in MATRIX.iter().enumerate() {
            must_end_as(&stack, &team, &format!("off-{number}"), image, lenient).await?;
        }
        a_submission_says_what_to_change(&stack, &team, images::TOOLS, "USER 1000").await?;
        a_submission_says_what_to_change(&stack, &team, images::NAMED, "USER 1000").await
    });
}

/// A Job that alice applies, of an image that says no more than it has to.
async fn must_end_as(stack: &Stack, team: &Team, name: &str, image: &str, verdict: &Verdict) -> Result<()> {
    let alice = team.researcher.kubernetes(stack).await?;
    let mut container = json!({"name": "main", "image": image, "command": ["id"]});
    if image == images::ROOT_ONLY {
        container["command"] = json!(["/bin/app", "id"]);
    }
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"backoffLimit": 0,
        "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}});
    create(&alice, &team.namespace, job).await?;
    let selector = format!("batch.kubernetes.io/job-name={name}");
    let about = || format!("{image} as {name}");
    let output = async || output_of(stack, &team.namespace, &selector).await;
    match verdict {
        Verdict::IsHer => {
            let printed = output().await.with_context(about)?;
            ensure!(
                printed.trim_end() == her_id(team.researcher.uid),
                "{}: {printed}",
                about()
            );
        }
        Verdict::Is(wanted) => {
            let printed = output().await.with_context(about)?;
            ensure!(printed.trim_end() == *wanted, "{}: {printed}", about());
        }
        Verdict::Never(why) => {
            let pods: Api<Pod> = Api::namespaced(stack.cluster.client().await?, &team.namespace);
            wait_for(Duration::from_secs(60), &about(), async || {
                let found = pods.list(&ListParams::default().labels(&selector)).await?;
                let pod = found.items.into_iter().next().context("no pod yet")?;
                let said = serde_json::to_string(&pod.status)?;
                ensure!(
                    !said.contains("\"exitCode\":0") && !said.contains("\"running\""),
                    "{said}"
                );
                ensure!(said.contains(why), "{said}");
                Ok(Some(()))
            })
            .await?;
        }
    }
    Ok(())
}

/// What the REST API says of a submission that is never started.
async fn a_submission_says_what_to_change(
    stack: &Stack,
    team: &Team,
    image: &str,
    remedy: &str,
) -> Result<()> {
    let name = crate::harness::fresh("image");
    let command = if image == images::ROOT_ONLY {
        "/bin/app id"
    } else {
        "id"
    };
    let body = json!({"name": name, "projectId": team.project, "clusterId": stack.cluster_id,
        "spec": {"image": image, "command": command}});
    let rest = &team.researcher.rest;
    let made = rest
        .post("/api/v1/workloads/trainings", body)
        .await?
        .expect(202)?;
    let id = made["workloadId"].as_str().unwrap_or_default().to_owned();
    wait_for(Duration::from_secs(60), "the reason", async || {
        let shown = rest.get(&format!("/api/v1/workloads/{id}")).await?.expect(200)?;
        let said = shown["phaseMessage"].as_str().unwrap_or_default();
        ensure!(said.contains(remedy), "{image}: {shown}");
        Ok(Some(()))
    })
    .await
}
